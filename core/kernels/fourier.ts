/** Fourier transforms of real series: twins in core/assembly/fourier.ts and gpu/kernels/fourier.cu. */
import type { Argument, Dims, Kernel } from "./kernel.ts";

const LENGTH = "points of a series, a power of two from 2 to 2^24";

const TWIDDLES: Argument = {
  name: "twiddles",
  role: "in",
  dtype: "f64",
  shape: ["3*N/4", "2"],
  unit: "1",
  doc: "from fourier_twiddles, for the same N",
};

function flops(d: Dims): number {
  const half = d.N! / 2;
  return d.B! * (4.25 * half * Math.log2(Math.max(half, 2)) + 9 * d.N!);
}

export const fourierTwiddles: Kernel = {
  name: "fourier_twiddles",
  family: "fourier",
  doc:
    "Roots of unity e^{2πi k/N}, k < 3N/4, (re, im) interleaved: the table that every transform of N points uses.",
  source: "definition; each from an angle of at most π/4",
  dims: { N: LENGTH },
  args: [{ ...TWIDDLES, role: "out", doc: "roots" }],
  tolerance: { relative: 1e-15, absolute: 0 },
  nan: "not allowed",
  flops: (d) => 30 * d.N!,
};

export const rfft: Kernel = {
  name: "rfft",
  family: "fourier",
  doc: "Spectra of B real series: X_k = Σ_j x_j e^{−2πi jk/N}, k = 0..N/2, (re, im) interleaved.",
  source: "Stockham autosort FFT, radix 4, of the even and odd points as one complex series",
  dims: { B: "series", N: LENGTH },
  args: [
    TWIDDLES,
    { name: "x", role: "in", dtype: "f64", shape: ["B", "N"], unit: "1", doc: "series" },
    { name: "out", role: "out", dtype: "f64", shape: ["B", "N/2+1", "2"], unit: "1", doc: "spectra" },
    { name: "work", role: "work", dtype: "f64", shape: ["N"], unit: "1", doc: "one pass" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops,
};

export const irfft: Kernel = {
  name: "irfft",
  family: "fourier",
  doc:
    "B real series from their spectra, the inverse of rfft with 1/N; imaginary parts at k = 0 and N/2 are ignored.",
  source: "x_j = (1/N) Σ_k X_k e^{2πi jk/N}",
  dims: { B: "series", N: LENGTH },
  args: [
    TWIDDLES,
    { name: "spectrum", role: "in", dtype: "f64", shape: ["B", "N/2+1", "2"], unit: "1", doc: "spectra" },
    { name: "out", role: "out", dtype: "f64", shape: ["B", "N"], unit: "1", doc: "series" },
    { name: "work", role: "work", dtype: "f64", shape: ["N"], unit: "1", doc: "one pass" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops,
};

export const FOURIER: readonly Kernel[] = [fourierTwiddles, rfft, irfft];
