/** Likelihood with marginalised continuum: twins in core/assembly/chisq.ts and gpu/kernels/chisq.cu. */
import type { Argument, Kernel } from "./kernel.ts";

const CONDITION = "solutions of normal equations of condition 1e4–2e4 (K = 10, RBF)";

const DATA: readonly Argument[] = [
  { name: "basis", role: "in", dtype: "f64", shape: ["K", "NP"], unit: "1", doc: "continuum basis" },
  { name: "y", role: "in", dtype: "f64", shape: ["E", "NP"], unit: "σ", doc: "flux / σ" },
  { name: "s", role: "in", dtype: "f64", shape: ["E", "NP"], unit: "1/flux", doc: "1/σ" },
];

export const chisq: Kernel = {
  name: "chisq",
  family: "chisq",
  doc:
    "−2 ln L (without 2 Σ ln σ) of spectra under template × continuum, the continuum marginalised; coefficients.",
  source: "ln det N + Σ(y − aᵀA)², A_ki = P_ki m_i s_i, N = A Aᵀ, a = N⁻¹ A y",
  dims: { E: "spectra", NP: "pixels", K: "continuum coefficients" },
  args: [
    ...DATA,
    {
      name: "m",
      role: "in",
      dtype: "f64",
      shape: ["E", "NP"],
      unit: "flux",
      doc: "template at the data pixels",
    },
    { name: "good", role: "in", dtype: "u8", shape: ["E", "NP"], unit: "1", doc: "1: counts in chi2good" },
    { name: "value", role: "out", dtype: "f64", shape: ["E"], unit: "1", doc: "logdet + chi2" },
    {
      name: "coeff",
      role: "out",
      dtype: "f64",
      shape: ["E", "K"],
      unit: "1",
      doc: "continuum coefficients a",
    },
    {
      name: "logdet",
      role: "out",
      dtype: "f64",
      shape: ["E"],
      unit: "1",
      doc: "ln det N; NaN where N is singular",
    },
    { name: "chi2", role: "out", dtype: "f64", shape: ["E"], unit: "1", doc: "Σ residual² over all pixels" },
    {
      name: "chi2good",
      role: "out",
      dtype: "f64",
      shape: ["E"],
      unit: "1",
      doc: "Σ residual² over good pixels",
    },
    {
      name: "model",
      role: "out",
      dtype: "f64",
      shape: ["E", "NP"],
      unit: "flux",
      doc: "template × continuum",
    },
    { name: "work", role: "work", dtype: "f64", shape: ["K*K+(K+10)*128+8*(K+4)*(K+4)"], unit: "", doc: "" },
  ],
  tolerance: { relative: 1e-10, absolute: 0, reason: CONDITION },
  nan: "propagates within its batch row",
  flops: (d) => d.E! * (d.NP! * (d.K! * (d.K! + 3) + 5 * d.K! + 8) + d.K! ** 3 / 3),
};

export const chisqGradient: Kernel = {
  name: "chisq_gradient",
  family: "chisq",
  doc:
    "The same with its exact gradient and Gauss-Newton matrix in the parameters whose derivative columns are given.",
  source: "Golub & Pereyra 1973; Kaufman 1975; the gradient of ln det N by its trace",
  dims: { E: "spectra", NP: "pixels", K: "continuum coefficients", Q: "columns, even" },
  args: [
    ...DATA,
    {
      name: "T",
      role: "in",
      dtype: "f64",
      shape: ["E", "NP", "Q"],
      unit: "flux",
      doc: "template and its derivatives, interleaved",
    },
    { name: "value", role: "out", dtype: "f64", shape: ["E"], unit: "1", doc: "logdet + chi2" },
    {
      name: "coeff",
      role: "out",
      dtype: "f64",
      shape: ["E", "K"],
      unit: "1",
      doc: "continuum coefficients a",
    },
    {
      name: "gradient",
      role: "out",
      dtype: "f64",
      shape: ["E", "Q"],
      unit: "1/parameter",
      doc: "by column; [0] means nothing",
    },
    {
      name: "curvature",
      role: "out",
      dtype: "f64",
      shape: ["E", "Q", "Q"],
      unit: "1/parameter²",
      doc: "by column",
    },
    {
      name: "work",
      role: "work",
      dtype: "f64",
      shape: ["NP+(K+Q)*(K+Q)+(K+2*Q+10)*128+8*(K+Q+4)*(K+Q+4)"],
      unit: "",
      doc: "",
    },
  ],
  tolerance: { relative: 1e-9, absolute: 0, reason: CONDITION + "; projections cancel" },
  nan: "propagates within its batch row",
  flops: (d) => {
    const [K, Q] = [d.K!, d.Q!];
    return d.E! * d.NP! * (K * (K + 3) + 5 * K + K * (K + 3) + 2 * Q * K + Q * (Q + 1) + 6 * Q + 8);
  },
};

export const CHISQ: readonly Kernel[] = [chisq, chisqGradient];
