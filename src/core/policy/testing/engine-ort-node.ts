/** The tests' engine is the command line's. */
export { createNodeEngine } from '../../../../tools/engine-ort-node.ts';
