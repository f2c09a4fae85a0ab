/** Resolution matrices: twins in core/assembly/resolution.ts and gpu/kernels/resolution.cu. */
import type { Argument, Kernel } from "./kernel.ts";

const WIDTH = "entries of a row, odd";

const ROWS: Argument = {
  name: "rows",
  role: "in",
  dtype: "f64",
  shape: ["B", "P", "W"],
  unit: "1",
  doc: "entry m of row i multiplies pixel i+m−(W−1)/2; 0 outside",
};

export const resolutionDeconvolve: Kernel = {
  name: "resolution_deconvolve",
  family: "resolution",
  doc:
    "Rows of stored resolution matrices (diagonals, D[k, j] = R[j−w+k, j]) after deconvolution by the template's " +
    "line-spread function; edge rows scaled to the median row sum; rows of zeros stay zeros. Rows of a matrix that is " +
    "displaced in wavelength are centred first: they then apply to a template seen through the same displacement.",
  source:
    "R = R′ G, c = r G⁻¹ row by row over W entries, G[a, b] = N(a−b; σ₀/Δλ). Rows displaced by δ pixels are sums of " +
    "Gaussians there, r = q H, H[b, a] = N(a−b−δ; s), and centred q H₀; H = e^{−δ²/2s²} e^{−bδ/s²} H₀[b, a] e^{aδ/s²}",
  dims: {
    B: "spectra",
    W: WIDTH,
    P: "pixels",
    WRAP:
      "1: at the left edge the pixel before the first is taken to be the last, as rvspecfit does; 0: it is nothing",
  },
  args: [
    {
      name: "d",
      role: "in",
      dtype: "f32",
      shape: ["B", "W", "P"],
      unit: "1",
      doc: "matrices as stored in the file",
    },
    { name: "inverse", role: "in", dtype: "f64", shape: ["W", "W"], unit: "1", doc: "G⁻¹, from lsfInverse" },
    {
      name: "displacement",
      role: "in",
      dtype: "f64",
      shape: ["B"],
      unit: "1/Å",
      doc: "displacement of a matrix's rows to the red, δ = displacement · λ_i pixels; 0 for none",
    },
    {
      name: "spread",
      role: "in",
      dtype: "f64",
      shape: ["B"],
      unit: "1",
      doc: "s in pixels, about a row's own σ",
    },
    {
      name: "centring",
      role: "in",
      dtype: "f64",
      shape: ["B", "2", "W", "W"],
      unit: "1",
      doc: "H₀⁻¹ and H₀ G⁻¹, from rowCentring; only what is displaced needs spread and centring",
    },
    { name: "lam", role: "in", dtype: "f64", shape: ["P"], unit: "Å", doc: "pixels" },
    { ...ROWS, role: "out" },
    { name: "work", role: "work", dtype: "f64", shape: ["2*W+P"], unit: "1", doc: "two rows, all row sums" },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.P! * (2 * d.W! * d.W! + d.W! + 8), // without displacement
};

export const resolutionApply: Kernel = {
  name: "resolution_apply",
  family: "resolution",
  doc: "B resolution matrices times a vector each: out[b,i] = Σ_m rows[b,i,m] vec[b,i+m−(W−1)/2].",
  source: "definition",
  dims: { B: "spectra", W: WIDTH, P: "pixels" },
  args: [
    ROWS,
    { name: "vec", role: "in", dtype: "f64", shape: ["B", "P"], unit: "flux", doc: "models at the pixels" },
    {
      name: "out",
      role: "out",
      dtype: "f64",
      shape: ["B", "P"],
      unit: "flux",
      doc: "as the instrument sees them",
    },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 2 * d.B! * d.P! * d.W!,
};

export const resolutionGaussian: Kernel = {
  name: "resolution_gaussian",
  family: "resolution",
  doc: "Gaussian resolution matrices, each row of unit sum over the pixels that exist.",
  source: "rows[i, m] ∝ exp(−½((λ_{i+m−w} − λ_i)/σ_i)²), w = (W−1)/2 from gaussianReach",
  dims: { B: "spectra", W: WIDTH, P: "pixels" },
  args: [
    { name: "lam", role: "in", dtype: "f64", shape: ["P"], unit: "Å", doc: "pixels" },
    {
      name: "sigma",
      role: "in",
      dtype: "f64",
      shape: ["B", "P"],
      unit: "Å",
      doc: "Gaussian at each pixel, 0 for none",
    },
    { ...ROWS, role: "out" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 26 * d.B! * d.P! * d.W!,
};

export const RESOLUTION: readonly Kernel[] = [resolutionDeconvolve, resolutionApply, resolutionGaussian];

/** G[a, b] = N(a−b; σ) with the density's norm, (W, W); the unit matrix for σ = 0. @param sigma - pixels */
function lsfMatrix(width: number, sigma: number): Float64Array {
  return Float64Array.from({ length: width * width }, (_, i) => {
    const x = Math.floor(i / width) - i % width;
    if (sigma === 0) return Number(x === 0);
    return Math.exp(-0.5 * (x / sigma) ** 2) / (Math.sqrt(2 * Math.PI) * sigma);
  });
}

/**
 * Inverse of the W×W matrix of a Gaussian line-spread function, G[a, b] = N(a−b; σ) with the density's norm; the unit
 * matrix for σ = 0.
 *
 * @param width - entries of a row, W
 * @param sigma - σ of the template's line-spread function, pixels
 * @returns (W, W), row-major
 */
export function lsfInverse(width: number, sigma: number): Float64Array {
  const W = width;
  const g = lsfMatrix(W, sigma), inverse = lsfMatrix(W, 0);
  // Gauss-Jordan; positive definite, so the diagonal serves as pivots
  for (let k = 0; k < W; k++) {
    const pivot = g[k * W + k];
    if (!(pivot > 0)) throw new RangeError(`a line-spread function of ${sigma} pixels cannot be divided out`);
    for (let j = 0; j < W; j++) {
      g[k * W + j] /= pivot;
      inverse[k * W + j] /= pivot;
    }
    for (let i = 0; i < W; i++) {
      if (i === k) continue;
      const factor = g[i * W + k];
      for (let j = 0; j < W; j++) {
        g[i * W + j] -= factor * g[k * W + j];
        inverse[i * W + j] -= factor * inverse[k * W + j];
      }
    }
  }
  return inverse;
}

/**
 * What centres displaced rows and deconvolves them: H₀⁻¹ and H₀ G⁻¹ for Gaussians H₀ about as wide as a row.
 *
 * @param spread - σ of a row, pixels
 * @param sigma - σ of the template's line-spread function, pixels
 * @returns (2, W, W)
 */
export function rowCentring(width: number, spread: number, sigma: number): Float64Array {
  const W = width;
  const h = lsfMatrix(W, spread), inverse = lsfInverse(W, sigma);
  const out = new Float64Array(2 * W * W);
  out.set(lsfInverse(W, spread));
  for (let i = 0; i < W * W; i++) {
    const a = Math.floor(i / W), b = i % W;
    for (let k = 0; k < W; k++) out[W * W + i] += h[a * W + k] * inverse[k * W + b];
  }
  return out;
}

/** Half-width w of a Gaussian resolution matrix in pixels: first pixel at or beyond 5σ of any; W = 2w+1. */
export function gaussianReach(lam: ArrayLike<number>, sigma: ArrayLike<number>): number {
  const P = lam.length;
  let reach = 0;
  for (let i = 0; i < P; i++) {
    let right = i, left = i;
    while (right < P && lam[right] < lam[i] + 5 * sigma[i]) right++;
    while (left >= 0 && lam[left] > lam[i] - 5 * sigma[i]) left--;
    reach = Math.max(reach, right - i, i - left);
  }
  return reach;
}
