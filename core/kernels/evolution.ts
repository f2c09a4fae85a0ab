/** Differential evolution of loss-cone fits: twins in core/assembly/evolution.ts and gpu/kernels/evolution.cu. */
import type { Argument, Kernel } from "./kernel.ts";
import { constantsArgument } from "./losscone.ts";
import { tableArguments } from "./losscone_search.ts";

/** Operations of one χ² from tables. */
const EVALUATION = 30 * 15 + 500;

const members: readonly Argument[] = [
  {
    name: "population",
    role: "out",
    dtype: "f64",
    shape: ["B", "M", "3"],
    unit: "V, 1, 1",
    doc: "U, b, A of the members",
  },
  { name: "values", role: "out", dtype: "f64", shape: ["B", "M"], unit: "1", doc: "their χ²" },
  {
    name: "state",
    role: "out",
    dtype: "i32",
    shape: ["B", "2"],
    unit: "1",
    doc: "generations done; 1 where the sweep goes on",
  },
];

export const evolutionStart: Kernel = {
  name: "evolution_start",
  family: "evolution",
  doc: "First generation of B sweeps: M members that all share, the first replaced by the best of S seeds.",
  source: "Latin hypercubes of core/losscone/hypercube.ts; the first of equal seeds",
  dims: {
    B: "sweeps",
    R: "energy steps",
    P: "directions",
    METHOD: "0 Halekas, 1 Lillis",
    S: "seeds",
    M: "members, 3 … 64",
  },
  args: [
    ...tableArguments,
    constantsArgument,
    { name: "seeds", role: "in", dtype: "f64", shape: ["S", "3"], unit: "V, 1, 1", doc: "U, b, A" },
    { name: "members", role: "in", dtype: "f64", shape: ["M", "3"], unit: "V, 1, 1", doc: "U, b, A" },
    ...members,
    { name: "rows", role: "work", dtype: "f64", shape: ["6*R"], unit: "1", doc: "rows that have cells" },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason: "sums of differences of squares: what the beam takes off may be a hundred times what is left",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * (d.S! + d.M!) * EVALUATION,
};

export const evolutionStep: Kernel = {
  name: "evolution_step",
  family: "evolution",
  doc: "G generations best/1/bin of the sweeps that go on; each stops for itself, none goes beyond MOST.",
  source: "Storn & Price 1997, J. Global Optimization 11, 341; SciPy's rule to stop",
  dims: {
    B: "sweeps",
    R: "energy steps",
    P: "directions",
    METHOD: "0 Halekas, 1 Lillis",
    M: "members, 3 … 64",
    G: "generations of this call",
    MOST: "most generations of a sweep",
  },
  args: [
    ...tableArguments,
    constantsArgument,
    {
      name: "settings",
      role: "in",
      dtype: "f64",
      shape: ["4"],
      unit: "1",
      doc: "F, CR, tol, atol",
    },
    {
      name: "key",
      role: "in",
      dtype: "i32",
      shape: ["2"],
      unit: "1",
      doc: "bits of the seed, low word first",
    },
    ...members.map((argument): Argument => ({ ...argument, role: "inout" })),
    {
      name: "trials",
      role: "work",
      dtype: "f64",
      shape: ["6*R+4*M"],
      unit: "1",
      doc: "rows that have cells, trials and their χ²",
    },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason: "sums of differences of squares: what the beam takes off may be a hundred times what is left",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.G! * d.M! * (EVALUATION + 240 + 30),
};

export const EVOLUTION: readonly Kernel[] = [evolutionStart, evolutionStep];
