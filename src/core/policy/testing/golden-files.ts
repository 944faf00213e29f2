/** Reads the committed golden sets from disk. Node only. */
import { readFile } from 'node:fs/promises';
import type { GoldenReader } from './golden-suite.ts';

export const readGolden: GoldenReader = async (folder, file) => new Uint8Array(await readFile(new URL(`golden/${folder}/${file}`, import.meta.url)));
