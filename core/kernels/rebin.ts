/** Line-spread function and pixels: twins in core/assembly/rebin.ts and gpu/kernels/rebin.cu. */
import type { Argument, Kernel } from "./kernel.ts";

const DIMS = {
  N: "input wavelengths",
  M: "output pixels, at least 2",
  W: "widest row of weights, from rebinWidth",
};

const LAM0: Argument = {
  name: "lam0",
  role: "in",
  dtype: "f64",
  shape: ["N"],
  unit: "Å",
  doc: "input wavelengths, increasing",
};
const LAM1: Argument = {
  name: "lam1",
  role: "in",
  dtype: "f64",
  shape: ["M"],
  unit: "Å",
  doc: "output pixel centres, increasing",
};
const START: Argument = {
  name: "start",
  role: "in",
  dtype: "i32",
  shape: ["M"],
  unit: "1",
  doc: "first input wavelength of each pixel's weights",
};
const WEIGHTS: Argument = {
  name: "weights",
  role: "in",
  dtype: "f64",
  shape: ["M", "W"],
  unit: "1",
  doc: "weights of the input values",
};

export const rebinWeights: Kernel = {
  name: "rebin_weights",
  family: "rebin",
  doc:
    "Weights that convolve a piecewise linear spectrum with a Gaussian of width σ_j and integrate it over pixel j, " +
    "divided by the pixel's width; pixel edges half-way between centres, its width half the distance between the centres " +
    "on either side; Gaussian cut beyond 5σ of the centre.",
  source:
    "exact integrals of (linear × Gaussian) over a pixel, by the first two integrals of the normal distribution",
  dims: DIMS,
  args: [
    LAM0,
    LAM1,
    {
      name: "sigma",
      role: "in",
      dtype: "f64",
      shape: ["M"],
      unit: "Å",
      doc: "Gaussian to convolve with, 0 for none",
    },
    { ...START, role: "out" },
    { ...WEIGHTS, role: "out" },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason:
      "a knot's weight is a difference of second integrals over its spacing h, error ε σ²/hΔ or ε Δ/h. Whole spectra: " +
      "1e-12 of quadrature and of rebinner.npz",
  },
  nan: "propagates within its batch row",
  flops: (d) => 240 * d.M! * d.W!,
};

export const rebinApply: Kernel = {
  name: "rebin_apply",
  family: "rebin",
  doc: "T spectra on the input wavelengths as output pixels: out[t,j] = Σ_i weights[j,i] flux[t,start_j+i].",
  source: "definition",
  dims: { T: "spectra", ...DIMS },
  args: [
    START,
    WEIGHTS,
    { name: "flux", role: "in", dtype: "f64", shape: ["T", "N"], unit: "flux", doc: "input spectra" },
    { name: "out", role: "out", dtype: "f64", shape: ["T", "M"], unit: "flux", doc: "pixels" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 2 * d.T! * d.M! * d.W!,
};

export const rebinLog: Kernel = {
  name: "rebin_log",
  family: "rebin",
  doc:
    "T spectra of ln flux per Å as pixels of a photon-counting instrument: out[t,j] = ln(Σ_i weights[j,i] " +
    "exp(flux[t,i]) λ_i / λ_j); −∞ or NaN where the sum is not positive.",
  source: "photon number ∝ flux × λ",
  dims: { T: "spectra", ...DIMS },
  args: [
    LAM0,
    LAM1,
    START,
    WEIGHTS,
    { name: "flux", role: "in", dtype: "f32", shape: ["T", "N"], unit: "ln flux", doc: "input spectra" },
    { name: "out", role: "out", dtype: "f32", shape: ["T", "M"], unit: "ln flux", doc: "pixels" },
    {
      name: "work",
      role: "work",
      dtype: "f64",
      shape: ["N"],
      unit: "flux Å",
      doc: "one spectrum in photons",
    },
  ],
  tolerance: {
    relative: 1.2e-7,
    absolute: 1e-12,
    reason: "stored as float32: half a unit in the last place may round either way",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.T! * (22 * d.N! + d.M! * (2 * d.W! + 25)),
};

export const REBIN: readonly Kernel[] = [rebinWeights, rebinApply, rebinLog];

/** Gaussian σ, Å, that takes a resolving power from R0 to R at wavelength λ (FWHM = λ/R); 0 where R ≥ R0. */
export function rebinSigma(wavelength: number, resolution: number, resolution0 = Infinity): number {
  const squared = (wavelength / resolution) ** 2 - (wavelength / resolution0) ** 2;
  return squared > 0 ? Math.sqrt(squared) / (2 * Math.sqrt(2 * Math.LN2)) : 0;
}

/** Number of weights W that `rebin_weights` needs: the largest number of input wavelengths in reach of one pixel. */
export function rebinWidth(
  lam0: ArrayLike<number>,
  lam1: ArrayLike<number>,
  sigma: ArrayLike<number>,
): number {
  const N = lam0.length, M = lam1.length;
  if (M === 1) {
    throw new RangeError(
      "a pixel's edges are half-way to its neighbours: at least 2 pixels are needed, got 1",
    );
  }
  let widest = 1;
  for (let j = 0; j < M; j++) {
    const low = j === 0 ? lam1[0] - 0.5 * (lam1[1] - lam1[0]) : 0.5 * (lam1[j - 1] + lam1[j]);
    const high = j === M - 1 ? lam1[j] + 0.5 * (lam1[j] - lam1[j - 1]) : 0.5 * (lam1[j] + lam1[j + 1]);
    const width = high - low;
    const reach = 5 * sigma[j] + (width > 2 * sigma[j] ? 0.5 * width : 0);
    const begin = Math.max(0, lowerBound(lam0, lam1[j] - reach) - 1);
    const end = Math.min(N - 1, lowerBound(lam0, lam1[j] + reach) + 1);
    widest = Math.max(widest, end - begin + 1);
  }
  return widest;
}

/** First index whose value is not below the given one. */
function lowerBound(values: ArrayLike<number>, value: number): number {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
