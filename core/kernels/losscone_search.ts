/** Loss-cone χ² from tables, and its global minimum: twins in core/assembly/losscone_search.ts and gpu/kernels/losscone_search.cu. */
import type { Argument, Kernel } from "./kernel.ts";
import { constantsArgument, energyArgument, potentialArgument } from "./losscone.ts";

/** What losscone_tables wrote, with the rows it is of. */
export const tableArguments: readonly Argument[] = [
  energyArgument,
  potentialArgument,
  { name: "sine", role: "in", dtype: "f64", shape: ["B", "R", "P"], unit: "1", doc: "from losscone_tables" },
  { name: "beam", role: "in", dtype: "f64", shape: ["B", "R", "P"], unit: "1", doc: "from losscone_tables" },
  { name: "y", role: "in", dtype: "f64", shape: ["B", "R", "P"], unit: "1", doc: "from losscone_tables" },
  {
    name: "prefix",
    role: "in",
    dtype: "f64",
    shape: ["B", "R", "P+1"],
    unit: "1",
    doc: "from losscone_tables",
  },
  { name: "cells", role: "in", dtype: "i32", shape: ["B", "R"], unit: "1", doc: "from losscone_tables" },
];

/** Boxes of a search on sweeps like those of the bench: what its cost is counted by. */
const BOXES = 600;

export const lossconeEvaluate: Kernel = {
  name: "losscone_evaluate",
  family: "losscone_search",
  doc: "χ² of B sweeps at S points that all share, from the tables of losscone_tables.",
  source: "Σ_r prefix_r[#(sin²α < x_r)], and what the beam changes in the cells that see it",
  dims: {
    B: "sweeps",
    R: "energy steps",
    P: "directions",
    METHOD: "0 Halekas, 1 Lillis",
    S: "points",
  },
  args: [
    ...tableArguments,
    constantsArgument,
    { name: "points", role: "in", dtype: "f64", shape: ["S", "3"], unit: "V, 1, 1", doc: "U, b, A" },
    { name: "chi2", role: "out", dtype: "f64", shape: ["B", "S"], unit: "1", doc: "χ²" },
    { name: "rows", role: "work", dtype: "f64", shape: ["6*R"], unit: "1", doc: "rows that have cells" },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason: "sums of differences of squares: what the beam takes off may be a hundred times what is left",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.S! * (30 * d.R! + 10 * 50),
};

export const lossconeSearch: Kernel = {
  name: "losscone_search",
  family: "losscone_search",
  doc: "Global minimum of χ² over U, b and A of B sweeps, all equally good U, and the confidence set of U.",
  source: "branch and bound, header of core/assembly/losscone_search.ts",
  dims: {
    B: "sweeps",
    R: "energy steps",
    P: "directions, up to 255",
    METHOD: "0 Halekas, 1 Lillis",
    I: "most intervals of a set",
    MOST: "most boxes of one descent",
  },
  args: [
    ...tableArguments,
    constantsArgument,
    {
      name: "fit",
      role: "out",
      dtype: "f64",
      shape: ["B", "4"],
      unit: "V, 1, 1, 1",
      doc: "U (middle of the plateau that holds the best), b, A, χ²",
    },
    {
      name: "plateau",
      role: "out",
      dtype: "f64",
      shape: ["B", "I", "2"],
      unit: "V",
      doc: "intervals of U with the least χ²; NaN past the last",
    },
    {
      name: "confidence",
      role: "out",
      dtype: "f64",
      shape: ["B", "I", "2"],
      unit: "V",
      doc: "intervals of U with χ² ≤ least·(1 + Δ/(n − 3)); NaN past the last",
    },
    {
      name: "state",
      role: "out",
      dtype: "i32",
      shape: ["B"],
      unit: "1",
      doc: "1: searched; 0: too few cells; −1: MOST did not suffice, what stands is the best found",
    },
    {
      name: "scratch",
      role: "work",
      dtype: "f64",
      shape: ["6*R+194*(8+(2*R+7)/8)+8*(5+(R+7)/8)+192+6*(R*P+1)+4*I+12+2*((R+7)/8)"],
      unit: "1",
      doc: "boxes, solutions, polygons, sets",
    },
  ],
  tolerance: {
    relative: 1e-9,
    absolute: 1e-6,
    reason: "U and A of a smooth minimum are found to 1e-7 V; χ² there to 1e-9",
  },
  nan: "propagates within its batch row",
  flops: (d) => BOXES * d.B! * d.R! * 60,
};

export const LOSSCONE_SEARCH: readonly Kernel[] = [lossconeEvaluate, lossconeSearch];
