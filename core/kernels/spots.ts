/** Spots of a Gauss-Hermite PSF: twins in core/assembly/spots.ts and gpu/kernels/spots.cu. */
import type { Kernel } from "./kernel.ts";

export const psfSpots: Kernel = {
  name: "psf_spots",
  family: "spots",
  doc:
    "Images of one photon of every fibre and wavelength: centroids and Gauss-Hermite shapes from Legendre series, " +
    "integrated over pixels, tails added where their amplitude is not 0, negative pixels set to 0, sum 1.",
  source:
    "Bolton & Schlegel 2010, PASP 122, 248; Gauss-Hermite PSF of specex. With e_k the pixel edges in σ: " +
    "∫He_m φ = He_{m−1}(e_k)φ(e_k) − He_{m−1}(e_{k+1})φ(e_{k+1})",
  dims: {
    B: "fibres",
    L: "wavelength bins",
    KT: "Legendre coefficients of a trace",
    KP: "Legendre coefficients of a shape parameter",
    GX: "Hermite degrees in x, 0 … GX−1",
    GY: "Hermite degrees in y",
    SX: "columns of a spot, odd",
    SY: "rows of a spot, odd",
  },
  args: [
    { name: "wave", role: "in", dtype: "f64", shape: ["B", "L"], unit: "Å", doc: "wavelengths of the bins" },
    {
      name: "domains",
      role: "in",
      dtype: "f64",
      shape: ["4"],
      unit: "Å",
      doc: "first and last wavelength of traces, then of shapes",
    },
    {
      name: "trace",
      role: "in",
      dtype: "f64",
      shape: ["B", "2", "KT"],
      unit: "pixel",
      doc: "coefficients of column and row of the centroid",
    },
    {
      name: "shape",
      role: "in",
      dtype: "f64",
      shape: ["B", "GX*GY+7", "KP"],
      unit: "pixel, 1",
      doc: "coefficients of σx, σy, GH[i][j] (j fast), tail amplitude, core, x scale, y scale, index",
    },
    {
      name: "spots",
      role: "out",
      dtype: "f64",
      shape: ["B", "L", "SY", "SX"],
      unit: "1",
      doc: "fraction of the light in each pixel",
    },
    {
      name: "xc",
      role: "out",
      dtype: "i32",
      shape: ["B", "L"],
      unit: "pixel",
      doc: "first column of a spot",
    },
    { name: "yc", role: "out", dtype: "i32", shape: ["B", "L"], unit: "pixel", doc: "first row of a spot" },
    {
      name: "scratch",
      role: "work",
      dtype: "f64",
      shape: ["2*(GX*GY+7+GX*SX+GX*SY+GY*SY+4*SX+4*SY+GX+GY+24)"],
      unit: "",
      doc: "",
    },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => {
    const series = 2 * d.KP! * (d.GX! * d.GY! + 7) + 10 * (d.KP! + d.KT!);
    const bases = (d.SX! + d.SY! + 2) * (110 + 6 * Math.max(d.GX!, d.GY!));
    const sums = 2 * d.GX! * d.SY! * (d.GY! + d.SX!) + 3 * d.SX! * d.SY!;
    return d.B! * d.L! * (series + bases + sums);
  },
};

export const SPOTS: readonly Kernel[] = [psfSpots];
