/** The fused inner steps of the stellar fit: twins in core/assembly/fit.ts and gpu/kernels/fit.cu. */
import { LIGHT } from "../doppler.ts";
import type { Argument, Dims, Kernel } from "./kernel.ts";

/** Data pixels that are worked off together, and knots of warm-up on either side; the twins hold the same numbers. */
export const CHUNK = 384;
export const WARMUP = 32;

/** Columns a pixel carries for D axes: template, ∂/∂vsini, ∂/∂t…, padded to even, ∂/∂v, 0. */
export function columns(D: number): number {
  return 2 * Math.ceil((D + 2) / 2) + 2;
}

/** Rotation half-width, template pixels, for the largest vsini (km/s) on a grid of step dlnlam. */
export function rotationHalfWidth(maxVsini: number, dlnlam: number): number {
  return Math.ceil(maxVsini / LIGHT / dlnlam + 1) + 1;
}

/** Knots a chunk of data pixels needs at most: dimension M. lnlam: ln of the data wavelengths. */
export function chunkKnots(lnlam: Float64Array, dlnlam: number): number {
  let most = 0;
  for (let p0 = 0; p0 < lnlam.length; p0 += CHUNK) {
    const p1 = Math.min(p0 + CHUNK, lnlam.length);
    most = Math.max(most, (lnlam[p1 - 1]! - lnlam[p0]!) / dlnlam);
  }
  return Math.ceil(most) + 2 * WARMUP + 4;
}

const DIMS = {
  B: "spectra",
  T: "templates",
  NL: "template pixels",
  NP: "data pixels",
  K: "continuum coefficients",
  D: "grid axes",
  C: "cell corners, 2^D",
};

const SHARED: readonly Argument[] = [
  { name: "templates", role: "in", dtype: "f32", shape: ["T", "NL"], unit: "ln flux", doc: "library" },
  { name: "knots", role: "in", dtype: "f64", shape: ["NL"], unit: "Å", doc: "template wavelengths" },
  {
    name: "factor",
    role: "in",
    dtype: "f64",
    shape: ["NL", "4"],
    unit: "Å, 1/Å, 1, 1/Å",
    doc: "from spline_factor",
  },
  { name: "grid", role: "in", dtype: "f64", shape: ["2"], unit: "ln Å", doc: "ln of the first knot; step" },
  { name: "lam", role: "in", dtype: "f64", shape: ["NP"], unit: "Å", doc: "data wavelengths" },
  { name: "lnlam", role: "in", dtype: "f64", shape: ["NP"], unit: "ln Å", doc: "their logarithms" },
  { name: "basis", role: "in", dtype: "f64", shape: ["K", "NP"], unit: "1", doc: "continuum basis" },
  { name: "y", role: "in", dtype: "f64", shape: ["B", "NP"], unit: "σ", doc: "flux / σ" },
  { name: "s", role: "in", dtype: "f64", shape: ["B", "NP"], unit: "1/flux", doc: "1/σ" },
  { name: "sumlog", role: "in", dtype: "f64", shape: ["B"], unit: "1", doc: "2 Σ ln σ" },
  {
    name: "rows",
    role: "in",
    dtype: "f64",
    shape: ["B", "NP", "W"],
    unit: "1",
    doc: "resolution matrix by rows; W = 0: none",
  },
];

const POINTS: readonly Argument[] = [
  { name: "entry", role: "in", dtype: "i32", shape: ["E"], unit: "1", doc: "spectrum of the evaluation" },
  {
    name: "corners",
    role: "in",
    dtype: "i32",
    shape: ["E", "C"],
    unit: "1",
    doc: "templates at the corners of its cell",
  },
  { name: "t", role: "in", dtype: "f64", shape: ["E", "D"], unit: "1", doc: "fractions within the cell" },
];

const CONDITION = "normal equations of condition up to 2e4; −2 ln L cancels against 2 Σ ln σ";

const shapeFlops = (d: Dims, columns: number) =>
  d.NL! * (5 * d.C! + 2 * d.C! * d.D! + 40 + columns * (6 + 7)) + d.NP! * (columns * (7 + 2 * d.W!) + 30);

export const fitEvaluate: Kernel = {
  name: "fit_evaluate",
  family: "fit",
  doc:
    "−2 ln L of E evaluations with exact gradient and Gauss-Newton matrix in velocity, vsini and the cell fractions.",
  source: "interpolate → rotate → spline → shift → resolve → chisq_gradient, fused",
  dims: {
    E: "evaluations",
    ...DIMS,
    Q: "columns(D)",
    W: "diagonals",
    H: "largest rotation half-width",
    M: "chunkKnots",
  },
  args: [
    ...SHARED,
    ...POINTS,
    { name: "velocity", role: "in", dtype: "f64", shape: ["E"], unit: "km/s", doc: "radial velocity" },
    { name: "vsini", role: "in", dtype: "f64", shape: ["E"], unit: "km/s", doc: "rotation" },
    { name: "value", role: "out", dtype: "f64", shape: ["E"], unit: "1", doc: "−2 ln L" },
    {
      name: "gradient",
      role: "out",
      dtype: "f64",
      shape: ["E", "D+2"],
      unit: "1/parameter",
      doc: "by velocity, vsini, t",
    },
    {
      name: "curvature",
      role: "out",
      dtype: "f64",
      shape: ["E", "D+2", "D+2"],
      unit: "1/parameter²",
      doc: "Gauss-Newton matrix",
    },
    {
      name: "work",
      role: "work",
      dtype: "f64",
      shape: [
        "2*NP*Q+NP+K+Q+(K+Q)*(K+Q)+(D+1+3*Q)*(M+2*H+4)+2*(H+1)+2*C*256+(K+2*Q+10)*128+8*(K+Q+4)*(K+Q+4)",
      ],
      unit: "",
      doc: "",
    },
  ],
  tolerance: { relative: 1e-9, absolute: 0, reason: CONDITION },
  nan: "propagates within its batch row",
  flops: (d) => {
    const K = d.K!;
    // of the Q columns the template and the last, which is zero, have no place in the Gauss-Newton matrix
    const c = d.Q! - 2;
    return d.E! *
      (shapeFlops(d, d.D! + 3) + d.NP! * (2 * K * (K + 3) + 4 * K + 2 * c * K + c * (c + 1) + 8 * c + 8));
  },
};

const SCAN_WORK = "2*(NL+4)+2*NP+K+K*K+2*(H+1)+NL+4+2*C*256+(K+10)*128+8*(K+4)*(K+4)";

export const fitScan: Kernel = {
  name: "fit_scan",
  family: "fit",
  doc: "−2 ln L at V velocities with the template held: the conditional velocity posterior.",
  source: "interpolate → rotate → spline once, then shift → resolve → chisq per velocity",
  dims: { E: "evaluations", V: "velocities", ...DIMS, W: "diagonals", H: "largest rotation half-width" },
  args: [
    ...SHARED,
    ...POINTS,
    { name: "velocity", role: "in", dtype: "f64", shape: ["E", "V"], unit: "km/s", doc: "radial velocities" },
    { name: "vsini", role: "in", dtype: "f64", shape: ["E"], unit: "km/s", doc: "rotation" },
    { name: "value", role: "out", dtype: "f64", shape: ["E", "V"], unit: "1", doc: "−2 ln L" },
    { name: "work", role: "work", dtype: "f64", shape: [SCAN_WORK], unit: "", doc: "" },
  ],
  tolerance: { relative: 1e-10, absolute: 0, reason: CONDITION },
  nan: "propagates within its batch row",
  flops: (d) => {
    const K = d.K!;
    return d.E! * (shapeFlops({ ...d, NP: 0 }, 1) + d.V! * d.NP! * (37 + 2 * d.W! + K * (K + 3) + 5 * K + 8));
  },
};

export const fitModel: Kernel = {
  name: "fit_model",
  family: "fit",
  doc: "Template, model, coefficients and the χ² over good pixels at the answers.",
  source: "as fit_scan at one velocity",
  dims: { E: "evaluations", ...DIMS, W: "diagonals", H: "largest rotation half-width" },
  args: [
    ...SHARED,
    { name: "good", role: "in", dtype: "u8", shape: ["B", "NP"], unit: "1", doc: "1: counts in chi2" },
    ...POINTS,
    { name: "velocity", role: "in", dtype: "f64", shape: ["E"], unit: "km/s", doc: "radial velocity" },
    { name: "vsini", role: "in", dtype: "f64", shape: ["E"], unit: "km/s", doc: "rotation" },
    { name: "value", role: "out", dtype: "f64", shape: ["E"], unit: "1", doc: "−2 ln L" },
    { name: "chi2", role: "out", dtype: "f64", shape: ["E"], unit: "1", doc: "Σ residual² over good pixels" },
    { name: "coeff", role: "out", dtype: "f64", shape: ["E", "K"], unit: "1", doc: "continuum coefficients" },
    {
      name: "template",
      role: "out",
      dtype: "f64",
      shape: ["E", "NP"],
      unit: "flux",
      doc: "template before the continuum",
    },
    {
      name: "model",
      role: "out",
      dtype: "f64",
      shape: ["E", "NP"],
      unit: "flux",
      doc: "template × continuum",
    },
    { name: "work", role: "work", dtype: "f64", shape: [SCAN_WORK], unit: "", doc: "" },
  ],
  tolerance: { relative: 1e-10, absolute: 0, reason: CONDITION },
  nan: "propagates within its batch row",
  flops: (d) => fitScan.flops({ ...d, V: 1 }),
};

export const FIT: readonly Kernel[] = [fitEvaluate, fitScan, fitModel];
