/** Inverse covariances of single fibres: twins in core/assembly/schur.ts and gpu/kernels/schur.cu. */
import type { Kernel } from "./kernel.ts";

export const fibreSchur: Kernel = {
  name: "fibre_schur",
  family: "schur",
  doc:
    "Inverse of every fibre's block of C = K⁻¹, as a band: the Schur complement of the W fibres on either side. " +
    "Exact where W reaches both edges and H both ends; the errors of less fall by the coupling of neighbours " +
    "(2e-3; 0.1 beside masked pixels) with each fibre, by half a decade with each bin.",
  source: "S_s = (C_ss)⁻¹ = K_ss − K_so K_oo⁻¹ K_os = K_ss − XᵀX, X = L⁻¹ K_os, K_oo = L Lᵀ",
  dims: {
    B: "bundles",
    F: "fibres of each",
    L: "wavelength bins",
    D: "bins over which K couples",
    W: "neighbours on either side that are eliminated",
    H: "half-bandwidth of S, bins",
    HK: "half-bandwidth of K",
  },
  args: [
    {
      name: "band",
      role: "in",
      dtype: "f64",
      shape: ["B", "F*L", "HK+1"],
      unit: "1/electron²",
      doc: "K, prior included; unknowns by wavelength, then fibre; lower band row by row",
    },
    {
      name: "s",
      role: "out",
      dtype: "f64",
      shape: ["B", "F", "L", "H+1"],
      unit: "1/electron²",
      doc: "lower bands row by row: element k of row i is column i−H+k",
    },
    {
      name: "scratch",
      role: "work",
      dtype: "f64",
      shape: ["(F+1)/2*(2+4*W*((3*D+H+37)*((D+1)*2*W+3)+L+(H+7)*(2*D+4+H)))"],
      unit: "",
      doc: "",
    },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason: "where neighbours share most of their light K_ss − XᵀX cancels; 1e3 is allowed for",
  },
  nan: "propagates within its batch row",
  flops: (d) => {
    const others = 2 * d.W!, reach = (d.D! + 1) * others, rows = (2 * d.D! + 4 + d.H!) * others;
    const factor = others * reach * reach;
    const columns = 2 * rows * reach * 0.9;
    const products = 2 * (d.H! + 4) * (rows - d.H! * others / 2);
    return d.B! * d.F! * d.L! * (factor + columns + products);
  },
};

export const SCHUR: readonly Kernel[] = [fibreSchur];
