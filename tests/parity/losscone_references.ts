/** Slow references of the families losscone, losscone_prepare and losscone_search. */
import type { HostArray } from "../../core/target.ts";
import type { SlowReference } from "../../gpu/parity/reference.ts";
import {
  type Constants,
  slowChisq,
  slowEvaluate,
  slowMask,
  slowModel,
  slowNorm,
  slowPitch,
  slowSearch,
  type TableRow,
} from "../reference/losscone.ts";
import { each, EXACT, part, reference, within } from "./slow.ts";

type Sizes = Readonly<Record<string, number>>;
type Inputs = Readonly<Record<string, HostArray>>;

/** Beam and background of a case. */
export const shape = (inputs: Inputs): Constants => {
  const [w, s, g] = inputs.constants!;
  return { w: w!, s: s!, g: g! };
};

const model = reference({ model: within(1e-13) }, ({ B, R, P }, inputs) => ({
  model: each(B! * R!, (k) => {
    const point = part(inputs.parameters!, 3, Math.floor(k / R!));
    return part(inputs.pitch!, P!, k).map((alpha) =>
      slowModel(inputs.energy![k]!, inputs.potential![k]!, alpha, point, shape(inputs))
    );
  }),
}));

const chisq = reference({ chi2: within(1e-12) }, ({ B, R, P, METHOD }, { norm, mask, model }) => ({
  chi2: each(B!, (e) => {
    const cells = [norm!, mask!, model!].map((a) => part(a, R! * P!, e));
    const pairs = cells[0]!.flatMap((d, i) => cells[1]![i] ? [[d, cells[2]![i]!] as const] : []);
    return [slowChisq(METHOD!, pairs)];
  }),
}));

const pitch = reference(
  { pitch: within(1e-9, "acos near 0 and 180 degrees, against the arctangent of vectors") },
  ({ B, R, P, FILL }, { theta, phi, field, polarity }) => ({
    pitch: each(
      B! * R!,
      (k) =>
        part(phi!, P!, k).map((f, j) =>
          slowPitch(theta![j]!, f, part(field!, 3, k), polarity![k]!, FILL === 1)
        ),
    ),
  }),
);

const normalise = reference(
  { norm: within(1e-13), mask: EXACT, valid: EXACT },
  ({ B, R, P, METHOD, RATIO2, HIGHEST, FILL }, { energy, potential, flux, pitch }) => {
    const mode = { ratio2: RATIO2 === 1, highest: HIGHEST === 1, fill: FILL === 1 };
    const norm: number[] = [], mask: number[] = [];
    for (let k = 0; k < B! * R!; k++) {
      const [f, a] = [part(flux!, P!, k), part(pitch!, P!, k)];
      const d = slowNorm(f, a, mode);
      norm.push(...d);
      mask.push(...slowMask(METHOD!, f, a, d, energy![k]! >= potential![k]!, mode.fill).map(Number));
    }
    const cells = R! * P!;
    const valid = Array.from(
      { length: B! },
      (_, e) => mask.slice(e * cells, (e + 1) * cells).reduce((a, b) => a + b, 0),
    );
    return { norm, mask, valid };
  },
);

const tables = reference(
  {
    sine: within(1e-12),
    beam: within(1e-12),
    y: within(1e-13),
    prefix: within(1e-12),
    cells: EXACT,
  },
  ({ B, R, P, METHOD }, inputs) => {
    const { s, g } = shape(inputs);
    const out = { sine: [], beam: [], y: [], prefix: [], cells: [] } as Record<string, number[]>;
    const padded = (
      values: number[],
      filler: number,
    ) => [...values, ...new Array<number>(P! - values.length).fill(filler)];
    for (let k = 0; k < B! * R!; k++) {
      const [alpha, norm, mask] = [inputs.pitch!, inputs.norm!, inputs.mask!].map((a) => part(a, P!, k));
      const order = alpha!.map((_, j) => j).filter((j) => mask![j])
        .sort((i, j) => alpha![j]! - alpha![i]! || i - j);
      const y = order.map((j) => METHOD === 0 ? Math.log(norm![j]! + 1e-6) : norm![j]!);
      out.sine!.push(
        ...padded(order.map((j) => alpha![j]! > 90 ? Math.sin(alpha![j]! * Math.PI / 180) ** 2 : 2), 2),
      );
      const shapeOf = (a: number) => s > 0 ? Math.exp(-0.5 * ((a - 180) / s) ** 2) : 1;
      out.beam!.push(...padded(order.map((j) => shapeOf(alpha![j]!)), 0));
      out.y!.push(...padded(y, 0));
      const cost = (d: number, m: number) => slowCost(METHOD!, d, m);
      for (let i = 0; i <= P!; i++) {
        out.prefix!.push(y.reduce((sum, d, j) => sum + cost(d, j < i ? g : 1), 0));
      }
      out.cells!.push(order.length);
    }
    return {
      ...out,
      cells: Int32Array.from(out.cells!),
    };
  },
);

function slowCost(method: number, y: number, m: number): number {
  return (y - (method === 0 ? Math.log(m + 1e-6) : m)) ** 2;
}

/** Rows of sweep e that have cells. */
export function rowsOf({ R, P }: Sizes, inputs: Inputs, e: number): TableRow[] {
  return Array.from({ length: R! }, (_, r) => e * R! + r).filter((k) => inputs.cells![k]! > 0).map((k) => {
    const of = (name: string) => part(inputs[name]!, P!, k).slice(0, inputs.cells![k]!);
    return {
      E: inputs.energy![k]!,
      V: inputs.potential![k]!,
      sine: of("sine"),
      beam: of("beam"),
      y: of("y"),
    };
  });
}

const evaluate = reference(
  { chi2: within(1e-10, "the prefix sums leave out a beam below 1e-13") },
  (dims, inputs) => ({
    chi2: each(dims.B!, (e) => {
      const rows = rowsOf(dims, inputs, e);
      return Array.from(
        { length: dims.S! },
        (_, k) => slowEvaluate(dims.METHOD!, rows, part(inputs.points!, 3, k), shape(inputs)),
      );
    }),
  }),
);

const search = reference(
  {
    fit: within(1e-11),
    plateau: within(1e-11),
    confidence: within(1e-11),
    state: EXACT,
  },
  (dims, inputs) => {
    const { B, I, METHOD } = dims;
    const out = { fit: [] as number[], plateau: [] as number[], confidence: [] as number[] };
    const state = new Int32Array(B!);
    const set = (ends: readonly (readonly number[])[]) =>
      Array.from({ length: 2 * I! }, (_, i) => ends[i >> 1]?.[i & 1] ?? NaN);
    for (let e = 0; e < B!; e++) {
      const rows = rowsOf(dims, inputs, e);
      const n = rows.reduce((sum, row) => sum + row.y.length, 0);
      state[e] = n >= (METHOD === 0 ? 1 : 5) ? 1 : 0;
      const found = state[e] === 1
        ? slowSearch(METHOD!, rows, shape(inputs), Array.from(inputs.constants!).slice(3))
        : { fit: [NaN, NaN, NaN, NaN], plateau: [], confidence: [] };
      out.fit.push(...found.fit);
      out.plateau.push(...set(found.plateau));
      out.confidence.push(...set(found.confidence));
    }
    return { ...out, state };
  },
  // only without a beam, whose amplitude the profile does not know
  (dims) => dims.R! <= 5,
);

/** By kernel. */
export const LOSSCONE_REFERENCES: Readonly<Record<string, SlowReference>> = {
  losscone_model: model,
  losscone_chisq: chisq,
  losscone_pitch: pitch,
  losscone_normalise: normalise,
  losscone_tables: tables,
  losscone_evaluate: evaluate,
  losscone_search: search,
};
