/** Parity cases of the families philox and evolution. */
import { evolutionStart, evolutionStep } from "../../core/kernels/evolution.ts";
import type { Kernel } from "../../core/kernels/kernel.ts";
import { philoxWords } from "../../core/kernels/philox.ts";
import { call, type CaseMaker, EDGES, type Next, whole } from "./case.ts";
import { drawn, lossconeConstants, type Sizes, tablesOf } from "./losscone_cases.ts";

const words = (n: number, next: Next) =>
  Int32Array.from({ length: n }, () => Math.floor(next() * 4294967296) | 0);

const philox: CaseMaker = function* (next, extra) {
  for (const B of [0, ...EDGES, ...Array.from({ length: extra }, () => whole(next, 1, 900))]) {
    yield { label: `${B} blocks`, dims: { B }, inputs: { counter: words(4 * B, next), key: words(2, next) } };
  }
};

const BATCHES: readonly Sizes[] = [
  { B: 0, R: 3, P: 10 },
  { B: 1, R: 15, P: 88 },
  { B: 3, R: 4, P: 20 },
  { B: 4, R: 2, P: 12 },
  { B: 5, R: 6, P: 30 },
];

const start: CaseMaker = function* (next, extra, wasm) {
  for (const [i, d] of [...BATCHES, ...BATCHES.slice(1, 1 + extra)].entries()) {
    const METHOD = i % 2, S = whole(next, 1, 130), M = i === 2 ? 64 : whole(next, 3, 50);
    yield {
      label: `${d.B} × ${d.R} × ${d.P}, ${S} seeds, ${M} members, method ${METHOD}`,
      dims: { ...d, METHOD, S, M },
      inputs: {
        ...tablesOf(d, METHOD, lossconeConstants(), next, wasm),
        seeds: drawn(S, next),
        members: drawn(M, next),
      },
    };
  }
};

const step: CaseMaker = function* (next, extra, wasm) {
  for (const [i, d] of [...BATCHES, ...BATCHES.slice(1, 1 + extra)].entries()) {
    const METHOD = i % 2, M = i === 2 ? 64 : whole(next, 3, 50), G = whole(next, 1, 6);
    const tables = tablesOf(d, METHOD, lossconeConstants(), next, wasm), members = drawn(M, next);
    const dims = { ...d, METHOD, M };
    const first = call(wasm, evolutionStart, { ...dims, S: 1 }, {
      ...tables,
      seeds: drawn(1, next),
      members,
    });
    yield {
      label: `${d.B} × ${d.R} × ${d.P}, ${M} members, ${G} generations, method ${METHOD}`,
      dims: { ...dims, G, MOST: i === 3 ? 2 : 500 },
      inputs: {
        ...tables,
        ...first,
        settings: Float64Array.of(0.5, 0.9, 1e-3, 1e-3),
        key: words(2, next),
      } as Record<string, Float64Array | Int32Array>,
    };
  }
};

export const EVOLUTION_CASES: readonly (readonly [Kernel, CaseMaker])[] = [
  [philoxWords, philox],
  [evolutionStart, start],
  [evolutionStep, step],
];
