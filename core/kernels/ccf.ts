/** Velocity scans by correlation: twins in core/assembly/ccf.ts and gpu/kernels/ccf.cu. */
import type { Kernel } from "./kernel.ts";

export const ccfSpread: Kernel = {
  name: "ccf_spread",
  family: "ccf",
  doc:
    "Adds one arm's pixels to their stars' grids, uniform in ln λ: weight (c s)² and weighted value y s c − (c s)², shared " +
    "linearly between the two grid points round the pixel. Pixels with c ≤ 0 or s = 0 and those off the grid add nothing.",
  source: "continuum-normalised flux minus 1 with its inverse variance; cloud-in-cell shares",
  dims: {
    B: "spectra",
    S: "stars",
    P: "pixels of the arm",
    G: "grid points",
    FIRST: "first pixel used",
    LAST: "one after the last pixel used",
  },
  args: [
    { name: "y", role: "in", dtype: "f64", shape: ["B", "P"], unit: "1", doc: "flux/σ" },
    { name: "s", role: "in", dtype: "f64", shape: ["B", "P"], unit: "1/flux", doc: "1/σ, 0 where unusable" },
    {
      name: "continuum",
      role: "in",
      dtype: "f64",
      shape: ["B", "P"],
      unit: "flux",
      doc: "continuum at the pixels",
    },
    {
      name: "index",
      role: "in",
      dtype: "i32",
      shape: ["P"],
      unit: "1",
      doc: "grid point left of the pixel, not decreasing",
    },
    {
      name: "fraction",
      role: "in",
      dtype: "f64",
      shape: ["P"],
      unit: "1",
      doc: "way from that point to the next, 0 to 1",
    },
    { name: "star", role: "in", dtype: "i32", shape: ["B"], unit: "1", doc: "star that the spectrum is of" },
    { name: "dw", role: "inout", dtype: "f64", shape: ["S", "G"], unit: "1", doc: "values × weights" },
    { name: "w", role: "inout", dtype: "f64", shape: ["S", "G"], unit: "1", doc: "weights" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 13 * d.B! * Math.max(0, Math.min(d.LAST!, d.P!) - d.FIRST!),
};

export const ccfScan: Kernel = {
  name: "ccf_scan",
  family: "ccf",
  doc:
    "χ² − Σ d² w of T templates against B spectra at lags −L..L of a ln λ grid; a positive lag is a redshift, " +
    "λ_obs = λ e^{lag Δ ln λ}. The lowest over templates at each lag, and of each template over lags; ties go to the " +
    "first. Correlations are circular.",
  source:
    "χ²(lag) = −2 Σ_j t_j (d w)_{j+lag} + Σ_j t_j² w_{j+lag}, summed in Fourier space; two templates in one " +
    "inverse transform that makes only the wanted lags",
  dims: {
    B: "spectra",
    T: "templates",
    N: "grid points, a power of two",
    L: "largest lag, grid points; 2L+1 ≤ N",
  },
  args: [
    {
      name: "twiddles",
      role: "in",
      dtype: "f64",
      shape: ["3*N/4", "2"],
      unit: "1",
      doc: "from fourier_twiddles",
    },
    {
      name: "tm",
      role: "in",
      dtype: "f64",
      shape: ["T", "N/2+1", "2"],
      unit: "1",
      doc: "rfft of the templates",
    },
    {
      name: "tm2",
      role: "in",
      dtype: "f64",
      shape: ["T", "N/2+1", "2"],
      unit: "1",
      doc: "rfft of their squares",
    },
    { name: "fd", role: "in", dtype: "f64", shape: ["B", "N/2+1", "2"], unit: "1", doc: "rfft of d w" },
    { name: "fw", role: "in", dtype: "f64", shape: ["B", "N/2+1", "2"], unit: "1", doc: "rfft of w" },
    {
      name: "envelope",
      role: "out",
      dtype: "f64",
      shape: ["B", "2*L+1"],
      unit: "1",
      doc: "lowest χ² at each lag",
    },
    {
      name: "envelope_template",
      role: "out",
      dtype: "i32",
      shape: ["B", "2*L+1"],
      unit: "1",
      doc: "its template",
    },
    {
      name: "lowest",
      role: "out",
      dtype: "f64",
      shape: ["B", "T"],
      unit: "1",
      doc: "lowest χ² of each template",
    },
    { name: "lowest_lag", role: "out", dtype: "i32", shape: ["B", "T"], unit: "grid points", doc: "its lag" },
    {
      name: "work",
      role: "work",
      dtype: "f64",
      shape: ["6*N"],
      unit: "1",
      doc: "one spectrum, blocks of columns, sums",
    },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => {
    const pairs = d.B! * Math.ceil(d.T! / 2);
    const lags = 2 ** Math.ceil(Math.log2(2 * d.L! + 1));
    return pairs * d.N! * (22 + 4.25 * Math.log2(lags) + 8 * (2 * d.L! + 1) / lags);
  },
};

export const CCF: readonly Kernel[] = [ccfSpread, ccfScan];
