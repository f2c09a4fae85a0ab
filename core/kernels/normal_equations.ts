/**
 * Normal equations of an extraction patch: twins in core/assembly/normal_equations.ts and
 * gpu/kernels/normal_equations.cu.
 */
import type { Argument, Kernel } from "./kernel.ts";

/** Dimensions of a batch of patches over spots that they share. */
export const PATCH_DIMS: Readonly<Record<string, string>> = {
  B: "patches",
  F: "fibres of a patch",
  L: "wavelength bins of a patch",
};

export const SPOT_DIMS: Readonly<Record<string, string>> = {
  NF: "fibres that have spots",
  NL: "bins that have spots",
  SX: "columns of a spot",
  SY: "rows of a spot",
  NX: "columns of a box, the widest of the batch",
  NY: "rows of a box",
};

/** Spots and places of the patches. */
export const PATCH_ARGS: readonly Argument[] = [
  {
    name: "spots",
    role: "in",
    dtype: "f64",
    shape: ["NF", "NL", "SY", "SX"],
    unit: "1",
    doc: "spots of all patches, from psf_spots",
  },
  { name: "xc", role: "in", dtype: "i32", shape: ["NF", "NL"], unit: "pixel", doc: "first column of a spot" },
  { name: "yc", role: "in", dtype: "i32", shape: ["NF", "NL"], unit: "pixel", doc: "first row of a spot" },
  {
    name: "place",
    role: "in",
    dtype: "i32",
    shape: ["B", "6"],
    unit: "1, pixel",
    doc: "first fibre and bin among the spots; first column and row, columns and rows of the box",
  },
];

/** Pixels of the box: those beyond it are not there, whatever falls on them. */
export const PIXEL_ARGS: readonly Argument[] = [
  {
    name: "pixels",
    role: "in",
    dtype: "f64",
    shape: ["B", "NY", "NX"],
    unit: "electron",
    doc: "image in the box; not looked at where the weight is 0",
  },
  {
    name: "weights",
    role: "in",
    dtype: "f64",
    shape: ["B", "NY", "NX"],
    unit: "1/electron²",
    doc: "inverse variances, 0 where masked",
  },
];

export const normalEquations: Kernel = {
  name: "normal_equations",
  family: "normal_equations",
  doc:
    "K = AᵀWA, y = AᵀWp and AᵀW1 of B patches straight from spots, without a projection matrix. Unknowns are " +
    "ordered by wavelength, then fibre: m = bin·F + fibre. Pairs more than H apart are left out.",
  source: "Bolton & Schlegel 2010, PASP 122, 248, eq. 4",
  dims: { ...PATCH_DIMS, H: "half-bandwidth of K", ...SPOT_DIMS },
  args: [
    ...PATCH_ARGS,
    ...PIXEL_ARGS,
    {
      name: "band",
      role: "out",
      dtype: "f64",
      shape: ["B", "F*L", "H+1"],
      unit: "1/electron²",
      doc: "lower band row by row: element k of row m is K[m, m−H+k], 0 outside",
    },
    { name: "y", role: "out", dtype: "f64", shape: ["B", "F*L"], unit: "1/electron", doc: "AᵀWp" },
    { name: "fw", role: "out", dtype: "f64", shape: ["B", "F*L"], unit: "1/electron²", doc: "AᵀW1" },
    { name: "weighted", role: "work", dtype: "f64", shape: ["SY*(SX+2)+2"], unit: "", doc: "" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  // a spot shares pixels with those up to 2 fibres and SY rows away; a bin is about 1.4 rows
  flops: (d) => d.B! * d.F! * d.L! * (5 * d.SX! * d.SY! + 2 * 0.5 * d.SY! * d.SY! / 1.4 * 2.4 * d.SX!),
};

export const weakPrior: Kernel = {
  name: "weak_prior",
  family: "normal_equations",
  doc:
    "Adds a prior that the flux is about 0 to the diagonal of K: α² + 1e-15 with α = 1e-4 max(fw) − fw where that is " +
    "positive, else α = regularize. Bins of the first kind are flagged.",
  source: "gpu_specter's regularisation of bins without data; the largest fw is the patch's own",
  dims: { ...PATCH_DIMS, H: "half-bandwidth of K" },
  args: [
    { name: "fw", role: "in", dtype: "f64", shape: ["B", "F*L"], unit: "1/electron²", doc: "AᵀW1" },
    {
      name: "regularize",
      role: "in",
      dtype: "f64",
      shape: ["B"],
      unit: "1/electron",
      doc: "α of bins with enough data, mostly 0",
    },
    {
      name: "band",
      role: "inout",
      dtype: "f64",
      shape: ["B", "F*L", "H+1"],
      unit: "1/electron²",
      doc: "lower band of K",
    },
    {
      name: "weak",
      role: "out",
      dtype: "u8",
      shape: ["B", "F*L"],
      unit: "1",
      doc: "1 where the prior stands in for data that are not there",
    },
  ],
  tolerance: { relative: 1e-14, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 6 * d.B! * d.F! * d.L!,
};

export const NORMAL_EQUATIONS: readonly Kernel[] = [normalEquations, weakPrior];
