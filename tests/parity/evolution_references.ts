/** Slow references of the families philox and evolution. */
import { philox } from "../../core/random.ts";
import type { SlowReference } from "../../gpu/parity/reference.ts";
import { slowEvaluate } from "../reference/losscone.ts";
import { rowsOf, shape } from "./losscone_references.ts";
import { each, EXACT, type Inputs, part, reference, type Sizes, within } from "./slow.ts";

/** Four words of a counter under a key. */
function block(counter: readonly number[], key: ArrayLike<number>): Uint32Array {
  const words = Uint32Array.from(counter);
  philox(words, key[0]! >>> 0, key[1]! >>> 0);
  return words;
}

const words = reference({ words: EXACT }, ({ B }, { counter, key }) => ({
  words: Int32Array.from(each(B!, (b) => Array.from(block(part(counter!, 4, b), key!), (w) => w | 0))),
}));

/** χ² of sweep e as a function of the point. */
function objective(dims: Sizes, inputs: Inputs, e: number): (point: readonly number[]) => number {
  const rows = rowsOf(dims, inputs, e), constants = shape(inputs);
  // left out as in the kernels: points that differ in nothing else are equals there
  return (point) => slowEvaluate(dims.METHOD!, rows, point, constants, 1e-13);
}

const start = reference(
  { population: within(1e-15), values: within(1e-10, "prefix sums against sums over cells"), state: EXACT },
  (dims, inputs) => {
    const { B, S, M } = dims;
    const out = { population: [] as number[], values: [] as number[] }, state: number[] = [];
    for (let e = 0; e < B!; e++) {
      const value = objective(dims, inputs, e);
      const members = Array.from({ length: M! }, (_, i) => part(inputs.members!, 3, i));
      const seeds = Array.from({ length: S! }, (_, k) => part(inputs.seeds!, 3, k));
      const chi2 = seeds.map(value), own = !Number.isNaN(chi2[0]!);
      if (own) members[0] = seeds[chi2.indexOf(Math.min(...chi2))]!;
      out.population.push(...members.flat());
      out.values.push(...members.map(value));
      state.push(0, own ? 1 : 0);
    }
    return { ...out, state: Int32Array.from(state) };
  },
);

const step = reference(
  { population: within(1e-12), values: within(1e-10, "prefix sums against sums over cells"), state: EXACT },
  (dims, inputs) => {
    const { B, M, G, MOST, METHOD } = dims;
    const [F, CR, tol, atol] = inputs.settings!;
    const bounds = [0, 1, 2].map((g) =>
      [inputs.constants![3 + 2 * g]!, inputs.constants![4 + 2 * g]!] as const
    );
    const out = { population: [] as number[], values: [] as number[] }, state: number[] = [];
    for (let e = 0; e < B!; e++) {
      const value = objective(dims, inputs, e);
      const cells = rowsOf(dims, inputs, e).reduce((n, row) => n + row.y.length, 0);
      const scale = METHOD === 0 ? 1 : Math.max(cells - 3, 1);
      let people = Array.from({ length: M! }, (_, i) => part(inputs.population!, 3, e * M! + i));
      // anew, for equal points must have equal values to the bit
      let chi2 = people.map(value);
      let [done, on] = part(inputs.state!, 2, e) as [number, number];
      for (let k = 0; k < G! && on; k++) {
        const best = people[chi2.indexOf(Math.min(...chi2))]!;
        const trials = people.map((parent, i) => {
          const [a, b, c] = [0, 1, 2].map((h) => block([3 * i + h, done, 0, 0], inputs.key!));
          const others = people.map((_, j) => j).filter((j) => j !== i);
          const r0 = others[Math.floor(a![0]! * (M! - 1) / 2 ** 32)]!;
          const r1 = others.filter((j) => j !== r0)[Math.floor(a![1]! * (M! - 2) / 2 ** 32)]!;
          const forced = Math.floor(a![2]! * 3 / 2 ** 32);
          const deviates = [a![3]!, b![0]!, b![1]!].map((w) => (w + 0.5) / 2 ** 32);
          return parent.map((old, g) => {
            if (deviates[g]! >= CR! && g !== forced) return old;
            const mutant = best[g]! + F! * (people[r0]![g]! - people[r1]![g]!);
            const [low, high] = bounds[g]!;
            return mutant >= low && mutant <= high ? mutant : low + (high - low) * ((c![g]! + 0.5) / 2 ** 32);
          });
        });
        const costs = trials.map(value), before = chi2;
        people = people.map((parent, i) => costs[i]! < before[i]! ? trials[i]! : parent);
        chi2 = before.map((old, i) => costs[i]! < old ? costs[i]! : old);
        done++;
        const mean = chi2.reduce((x, y) => x + y, 0) / M!;
        const spread = Math.sqrt(chi2.reduce((sum, v) => sum + (v - mean) ** 2, 0) / M!);
        on = done < MOST! && !(spread <= atol! / scale + tol! * Math.abs(mean)) ? 1 : 0;
      }
      out.population.push(...people.flat());
      out.values.push(...chi2);
      state.push(done, on);
    }
    return { ...out, state: Int32Array.from(state) };
  },
);

/** By kernel. */
export const EVOLUTION_REFERENCES: Readonly<Record<string, SlowReference>> = {
  philox_words: words,
  evolution_start: start,
  evolution_step: step,
};
