/** Parity cases of the families losscone, losscone_prepare and losscone_search. */
import type { Kernel } from "../../core/kernels/kernel.ts";
import { lossconeChisq, lossconeModel } from "../../core/kernels/losscone.ts";
import { lossconeNormalise, lossconePitch, lossconeTables } from "../../core/kernels/losscone_prepare.ts";
import { lossconeEvaluate, lossconeSearch } from "../../core/kernels/losscone_search.ts";
import type { HostArray, Target } from "../../core/target.ts";
import { call, type CaseMaker, EDGES, type Next, type ParityCase, uniform, whole } from "./case.ts";

export type Sizes = { readonly B: number; readonly R: number; readonly P: number };

/** w, s, g, bounds of U, b, A, and Δ. */
export function lossconeConstants(most = 5, s = 7.5, w = 15): Float64Array {
  return Float64Array.of(w, s, 0.05, -2000, 20, 0.3, 1.1, 0, most, 0.99);
}

/** Energies (geometric, falling) and spacecraft potentials of the rows. */
function rowsOf({ B, R }: Sizes, next: Next): { energy: Float64Array; potential: Float64Array } {
  const energy = Float64Array.from(
    { length: B * R },
    (_, k) => 20000 * (40 / 20000) ** ((k % R) / Math.max(R - 1, 1)),
  );
  const potential = new Float64Array(B * R);
  for (let e = 0; e < B; e++) potential.fill(-60 + 80 * next(), e * R, (e + 1) * R);
  return { energy, potential };
}

/** Pitch angles evenly over the sphere. */
function pitches(n: number, next: Next): Float64Array {
  return Float64Array.from({ length: n }, () => Math.acos(1 - 2 * next()) * 180 / Math.PI);
}

/** Parameters within their bounds. */
export function drawn(B: number, next: Next): Float64Array {
  return Float64Array.from(
    { length: 3 * B },
    (_, i) =>
      i % 3 === 0
        ? (next() < 0.2 ? 20 * next() : -20 * 60 ** next())
        : i % 3 === 1
        ? 0.35 + 0.7 * next()
        : next() < 0.3
        ? 0
        : 4 * next(),
  );
}

const sizes = (next: Next): Sizes[] => [
  ...EDGES.map((P) => ({ B: 2, R: 3, P })),
  { B: whole(next, 3, 9), R: 15, P: 88 },
  { B: 1, R: 1, P: 40 },
  { B: 0, R: 15, P: 88 },
];

function more(next: Next, extra: number, P = 88): Sizes[] {
  return Array.from(
    { length: extra },
    () => ({ B: whole(next, 1, 7), R: whole(next, 1, 16), P: whole(next, 8, P) }),
  );
}

const model: CaseMaker = function* (next, extra) {
  const one = (d: Sizes, set: Float64Array, label = ""): ParityCase => ({
    label: `${d.B} × ${d.R} × ${d.P}${label}`,
    dims: d,
    inputs: {
      ...rowsOf(d, next),
      pitch: pitches(d.B * d.R * d.P, next),
      parameters: drawn(d.B, next),
      constants: set,
    },
  });
  for (const d of [...sizes(next), ...more(next, extra)]) yield one(d, lossconeConstants());
  yield one({ B: 4, R: 15, P: 20 }, lossconeConstants(5, 0), ", beam at all pitches");
  yield one({ B: 4, R: 15, P: 20 }, lossconeConstants(5, 7.5, 0), ", no beam");
  const nan = one({ B: 3, R: 4, P: 20 }, lossconeConstants(), ", NaN");
  nan.inputs.parameters!.set([NaN, NaN, 2], 3);
  // a NaN in U closes no cone and has no beam: what is left is no NaN
  yield { ...nan, poisoned: [] };
};

const chisq: CaseMaker = function* (next, extra) {
  for (const METHOD of [0, 1]) {
    const one = (d: Sizes, share = 0.9): ParityCase => {
      const n = d.B * d.R * d.P;
      return {
        label: `${d.B} × ${d.R} × ${d.P}, method ${METHOD}`,
        dims: { ...d, METHOD },
        inputs: {
          norm: uniform(n, next, 1e-4, 3),
          mask: Uint8Array.from({ length: n }, () => next() < share ? 1 : 0),
          model: uniform(n, next, 0.05, 4),
        },
      };
    };
    for (const d of [...sizes(next), ...more(next, extra)]) yield one(d);
    yield one({ B: 3, R: 2, P: 10 }, 0.1);
    const nan = one({ B: 3, R: 2, P: 40 });
    nan.inputs.norm![85] = NaN;
    nan.inputs.mask![85] = 1;
    yield { ...nan, label: `${nan.label}, NaN`, poisoned: [1] };
  }
};

const pitch: CaseMaker = function* (next, extra) {
  const one = (d: Sizes, FILL = 0): ParityCase => ({
    label: `${d.B} × ${d.R} × ${d.P}, fill ${FILL}`,
    dims: { ...d, FILL },
    inputs: {
      theta: uniform(d.P, next, -80, 80),
      phi: uniform(d.B * d.R * d.P, next, 0, 360).map((v) => next() < 0.05 ? 999.99 : v),
      field: uniform(3 * d.B * d.R, next, -20, 20),
      polarity: Float64Array.from({ length: d.B * d.R }, () => next() < 0.5 ? 1 : next() < 0.9 ? -1 : 0),
    },
  });
  for (const d of [...sizes(next), ...more(next, extra)]) yield one(d);
  yield one({ B: 2, R: 4, P: 30 }, 1);
};

/** Counts over an isotropic flux, with some fills, empty cells and NaN. */
function flux(n: number, next: Next): Float64Array {
  return Float64Array.from({ length: n }, () => {
    const kind = next();
    return kind < 0.03
      ? 9.999e-99
      : kind < 0.05
      ? NaN
      : kind < 0.15
      ? 0
      : kind < 0.17
      ? -9.99e-99
      : 50 * next();
  });
}

const normalise: CaseMaker = function* (next, extra) {
  const one = (d: Sizes, modes: readonly number[]): ParityCase => {
    const n = d.B * d.R * d.P;
    const [METHOD, RATIO2, HIGHEST, FILL] = modes as [number, number, number, number];
    const { energy, potential } = rowsOf(d, next);
    if (potential.length > 2) potential[1] = NaN;
    return {
      label: `${d.B} × ${d.R} × ${d.P}, modes ${modes.join("")}`,
      dims: { ...d, METHOD, RATIO2, HIGHEST, FILL },
      inputs: {
        energy,
        potential,
        flux: flux(n, next),
        pitch: pitches(n, next).map((v) => next() < 0.03 ? NaN : v),
      },
    };
  };
  const all = [[0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 1], [0, 0, 0, 1]];
  for (const d of [...sizes(next), ...more(next, extra)]) yield one(d, [0, 0, 0, 0]);
  for (const modes of all) yield one({ B: 3, R: 15, P: 88 }, modes);
  const incident = one({ B: 2, R: 3, P: 12 }, [0, 1, 0, 0]);
  incident.inputs.pitch!.fill(30);
  yield { ...incident, label: "incident cells only" };
};

/** Sweeps as the model has them, with noise. */
function sweeps(d: Sizes, METHOD: number, set: Float64Array, next: Next, wasm: Target) {
  const rows = rowsOf(d, next), n = d.B * d.R * d.P;
  const pitch = pitches(n, next);
  const inputs = { ...rows, pitch, parameters: drawn(d.B, next), constants: set };
  const clean = call(wasm, lossconeModel, d, inputs).model as Float64Array;
  const noise = set[8] === 0 ? 0.6 : 0.25;
  const norm = clean.map((v) => v * Math.exp(noise * (next() + next() + next() - 1.5)));
  const mask = Uint8Array.from({ length: n }, () => next() < 0.9 ? 1 : 0);
  return { rows, inputs: { pitch, norm, mask, constants: set }, dims: { ...d, METHOD } };
}

const tables: CaseMaker = function* (next, extra, wasm) {
  for (const METHOD of [0, 1]) {
    for (const d of [...sizes(next), ...more(next, extra)]) {
      const { inputs, dims } = sweeps(d, METHOD, lossconeConstants(), next, wasm);
      yield { label: `${d.B} × ${d.R} × ${d.P}, method ${METHOD}`, dims, inputs };
    }
    const { inputs, dims } = sweeps({ B: 2, R: 3, P: 30 }, METHOD, lossconeConstants(5, 0), next, wasm);
    inputs.pitch.fill(120, 0, 10);
    inputs.mask.fill(0, 30, 60);
    yield { label: `equal pitches, an empty row, method ${METHOD}`, dims, inputs };
  }
};

type Tables = Record<string, HostArray>;

export function tablesOf(d: Sizes, METHOD: number, set: Float64Array, next: Next, wasm: Target): Tables {
  const { rows, inputs, dims } = sweeps(d, METHOD, set, next, wasm);
  // one sweep with nothing in it
  if (d.B > 2) inputs.mask.fill(0, d.R * d.P, 2 * d.R * d.P);
  return { ...rows, ...call(wasm, lossconeTables, dims, inputs), constants: set };
}

const evaluate: CaseMaker = function* (next, extra, wasm) {
  for (const METHOD of [0, 1]) {
    for (const d of [...sizes(next), ...more(next, extra)]) {
      const S = whole(next, 1, 40);
      yield {
        label: `${d.B} × ${d.R} × ${d.P}, ${S} points, method ${METHOD}`,
        dims: { ...d, METHOD, S },
        inputs: { ...tablesOf(d, METHOD, lossconeConstants(), next, wasm), points: drawn(S, next) },
      };
    }
  }
};

const search: CaseMaker = function* (next, extra, wasm) {
  const one = (d: Sizes, METHOD: number, most: number, I = 8): ParityCase => ({
    label: `${d.B} × ${d.R} × ${d.P}, method ${METHOD}, A up to ${most}`,
    dims: { ...d, METHOD, I, MOST: 1 << 20 },
    inputs: tablesOf(d, METHOD, lossconeConstants(most), next, wasm),
  });
  for (const METHOD of [0, 1]) {
    for (const [R, P] of [[1, 8], [2, 10], [3, 8], [4, 7], [5, 6]] as const) {
      yield one({ B: 3, R, P }, METHOD, 0);
    }
    yield one({ B: 2, R: 15, P: 88 }, METHOD, 5);
    yield one({ B: 1, R: 8, P: 30 }, METHOD, 5);
  }
  yield one({ B: 0, R: 3, P: 8 }, 0, 5);
  for (let i = 0; i < extra; i++) {
    yield one({ B: whole(next, 1, 3), R: whole(next, 1, 4), P: whole(next, 4, 9) }, i % 2, 0);
  }
};

export const LOSSCONE_CASES: readonly (readonly [Kernel, CaseMaker])[] = [
  [lossconeModel, model],
  [lossconeChisq, chisq],
  [lossconePitch, pitch],
  [lossconeNormalise, normalise],
  [lossconeTables, tables],
  [lossconeEvaluate, evaluate],
  [lossconeSearch, search],
];
