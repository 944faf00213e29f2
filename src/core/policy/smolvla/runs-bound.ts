/**
 * The graphs on an engine with a device: every tensor between picture and plan has one place, for as long as the policy is
 * loaded. Nothing is allocated, no key or value moves, and what goes up is what changed: a picture, the sentence's rows, the noise.
 *
 *   picture ─► patches ─► [vision] ─► tokens ─copy─► image.slot ─┐
 *                              tail, positions, bias ────────────┴► [prefix] ─► k.j, v.j ─┐
 *   noise ─► x ─► [step] ◄── one row of the time table, turn, positions, bias ◄───────────┘
 *            ▲       └► x_next ─► read back once
 *            └──copy──┘
 *
 * x and x_next are two places because a kernel may not read and write one. A camera that shows what it showed leaves the
 * tokens in its place as they are.
 */
import type { BoundSession, Engine, EngineDevice, EnginePlace, GraphFile, RunManner } from '#contracts/engine.ts';
import type { Picture } from '#contracts/picture.ts';
import { decodeModel } from '#core/onnx/model.ts';
import type { LoadOptions } from '../policy.ts';
import { patchify } from './patches.ts';
import type { PrefixShape } from './prefix-rows.ts';
import { likeliest, stepFactors } from './heads.ts';
import { floats, guidedSteps, LastShown, letterboxed, type DenoiseProblem, type Feeds, type GraphName, type GraphRuns, type PolicyGraphs } from './runs.ts';
import type { SmolVlaSettings } from './settings.ts';

export interface BoundParts {
  readonly device: NonNullable<Engine['device']>;
  readonly manner: RunManner;
  readonly graphs: PolicyGraphs;
  readonly settings: SmolVlaSettings;
  readonly shape: PrefixShape;
  readonly letterbox: LoadOptions['letterbox'];
}

interface BoundGraph {
  readonly inputs: Places;
  readonly outputs: Places;
  readonly session: BoundSession;
}

type Places = Readonly<Record<string, EnginePlace>>;

export async function boundRuns(parts: BoundParts): Promise<GraphRuns> {
  const { device, graphs, manner } = parts;
  const opened: BoundSession[] = [];
  const owned: EnginePlace[] = [];
  const open = async (name: GraphName, known: Places): Promise<BoundGraph> => {
    const graph = await graphs(name);
    const inputs = inputPlaces(device, graph, known, owned);
    const session = await device.createBound(graph, inputs, manner);
    opened.push(session);
    return { inputs, outputs: session.outputs, session };
  };
  try {
    const vision = await open('vision', {});
    const prefix = await open('prefix', {});
    const step = await open('step', prefix.outputs);
    return new BoundRuns(parts, { vision, prefix, step }, owned);
  } catch (thrown) {
    for (const session of opened) await session.dispose();
    for (const place of owned) place.dispose();
    throw thrown;
  }
}

/** A place for every input of the graph: the known one, which another graph writes, or a new one. */
function inputPlaces(device: EngineDevice, graph: GraphFile, known: Places, owned: EnginePlace[]): Places {
  const places: Record<string, EnginePlace> = {};
  for (const { name, type, dims } of decodeModel(graph.model).inputs) {
    if (type !== 'float32' && type !== 'int64') throw new Error(`${graph.name} has ${name} of ${type}`);
    const place = known[name] ?? device.place(type, dims);
    if (known[name] === undefined) owned.push(place);
    places[name] = place;
  }
  return places;
}

class BoundRuns implements GraphRuns {
  readonly eyes = null;
  private readonly parts: BoundParts;
  private readonly graphs: Readonly<Record<GraphName, BoundGraph>>;
  private readonly owned: readonly EnginePlace[];
  private readonly shown = new LastShown();
  /** By slot: what it is prepared to show, with its patches where the host makes them. A slot without an entry shows what it did. */
  private readonly prepared = new Map<number, { readonly picture: Picture; readonly patches: Float32Array | null } | null>();
  /** Slots whose place holds zeros: an absent camera's rows are hidden, but never numbers that are none. */
  private readonly empty = new Set<number>();
  /** Of the masks that lie in the places. */
  private use: string | null = null;
  /** By number of steps: a row of time bias for each. */
  private readonly timeTables = new Map<number, EnginePlace>();
  /** Whose factors lie in `keep` and `turn`. */
  private steps = 0;

  constructor(parts: BoundParts, graphs: BoundRuns['graphs'], owned: readonly EnginePlace[]) {
    this.parts = parts;
    this.graphs = graphs;
    this.owned = owned;
  }

  async prepare(slot: number, picture: Picture | null): Promise<void> {
    const { device, letterbox, settings } = this.parts;
    if (picture !== null && this.shown.same(slot, picture)) {
      this.prepared.delete(slot);
      return;
    }
    const { imageSize, patchSize } = settings.vision;
    const onHost = picture !== null && device.patches === null;
    this.prepared.set(slot, picture === null ? null : { picture, patches: onHost ? patchify(await letterboxed(letterbox, picture, settings), imageSize, patchSize) : null });
  }

  async see(): Promise<void> {
    const { device, settings, shape } = this.parts;
    const { imageSize, patchSize } = settings.vision;
    const { inputs, outputs } = this.graphs.vision;
    for (const [slot, next] of this.prepared) {
      const place = this.graphs.prefix.inputs[`image.${slot}`]!;
      // Whatever fails from here on, this place no longer holds what was seen before.
      this.shown.forget(slot);
      if (next === null) {
        if (!this.empty.has(slot)) place.write(new Float32Array(shape.tokensPerImage * settings.text.hidden));
        this.empty.add(slot);
        continue;
      }
      this.empty.delete(slot);
      if (next.patches !== null) inputs['patches']!.write(next.patches);
      else device.patches!(next.picture, { side: imageSize, patch: patchSize }, inputs['patches']!);
      await this.run('vision');
      device.copy([{ from: outputs['tokens']!, to: place }]);
      this.shown.keep(slot, next.picture);
    }
    this.prepared.clear();
  }

  async read({ use, tail, prefix, step }: Parameters<GraphRuns['read']>[0]): Promise<void> {
    if (this.use !== use) {
      this.use = null;
      writeAll(this.graphs.prefix.inputs, prefix);
      writeAll(this.graphs.step.inputs, step);
      this.use = use;
    }
    this.graphs.prefix.inputs['tail']!.write(tail.data);
    await this.run('prefix');
  }

  async denoise(problem: DenoiseProblem): Promise<Float32Array> {
    const { device, settings } = this.parts;
    const { inputs, outputs } = this.graphs.step;
    const { x, time_bias: bias } = inputs as Readonly<Record<'x' | 'time_bias', EnginePlace>>;
    const { head, actionColumns } = settings;
    const steps = problem.timeBiases.length;
    const table = this.timeTable(problem.timeBiases);
    if (this.steps !== steps) {
      const { keep, turn } = stepFactors(head, steps);
      inputs['keep']?.write(Float32Array.of(keep));
      inputs['turn']!.write(Float32Array.of(turn));
    }
    this.steps = steps;
    if (head.kind === 'bins') {
      x.write(new Float32Array(problem.noise.length));
      device.copy([{ from: table, row: 0, to: bias }]);
      await this.run('step');
      return likeliest(head, floats(await outputs['scores']!.read()), actionColumns);
    }
    const next = outputs['x_next']!;
    const { guide } = problem;
    if (guide !== null) {
      return guidedSteps({ ...problem, guide }, head, actionColumns, async (now, s) => {
        x.write(now);
        device.copy([{ from: table, row: s, to: bias }]);
        await this.run('step');
        return floats(await next.read());
      });
    }
    x.write(problem.noise);
    for (let s = 0; s < steps; s++) {
      device.copy([{ from: table, row: s, to: bias }, ...(s === 0 ? [] : [{ from: next, to: x }])]);
      await this.run('step');
    }
    return floats(await next.read());
  }

  forget(): void {
    this.shown.clear();
  }

  async dispose(): Promise<void> {
    for (const { session } of Object.values(this.graphs)) await session.dispose();
    for (const place of [...this.owned, ...this.timeTables.values()]) place.dispose();
  }

  private run(graph: GraphName): Promise<void> {
    return this.graphs[graph].session.run();
  }

  private timeTable(biases: readonly Float32Array[]): EnginePlace {
    const steps = biases.length;
    const known = this.timeTables.get(steps);
    if (known !== undefined) return known;
    const width = this.parts.settings.expert.hidden;
    const made = this.parts.device.place('float32', [steps, width]);
    const rows = new Float32Array(steps * width);
    for (const [s, bias] of biases.entries()) rows.set(bias, s * width);
    made.write(rows);
    this.timeTables.set(steps, made);
    return made;
  }
}

function writeAll(places: Places, feeds: Feeds): void {
  for (const [name, { data }] of Object.entries(feeds)) places[name]!.write(data);
}
