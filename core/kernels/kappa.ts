/** Kappa distributions of electrons: twins in core/assembly/kappa.ts and gpu/kernels/kappa.cu. */
import type { Argument, Kernel } from "./kernel.ts";

/** Most energies of a sweep that `kappa_fit` takes. */
export const MOST_ROWS = 32;

const energy = (...shape: string[]): Argument => ({
  name: "energy",
  role: "in",
  dtype: "f64",
  shape,
  unit: "eV",
  doc: "measured energies, each batch row its own; NaN where there is none",
});
const ofEach = (name: string, unit: string, doc: string): Argument => ({
  name,
  role: "in",
  dtype: "f64",
  shape: ["B"],
  unit,
  doc,
});
const ofRows = (name: string, role: "in" | "out", unit: string, doc: string): Argument => ({
  name,
  role,
  dtype: "f64",
  shape: ["B", "R"],
  unit,
  doc,
});
const DENSITY = ofEach("density", "m⁻³", "n");
const EXPONENT = ofEach("kappa", "1", "κ > 3/2");
const THETA = ofEach("theta", "m/s", "thermal speed θ");

const FLUX_FORMULA =
  "J = 4π 10⁻⁴ n/θ³ Γ(κ+1)/((πκ)^{3/2} Γ(κ−½)) (1 + v²/(κθ²))^{−κ−1} v²/m, v² = 2E/m, m = 5.685630e-12 eV s² m⁻²";

export const kappaFlux: Kernel = {
  name: "kappa_flux",
  family: "kappa",
  doc: "Omnidirectional differential flux of B kappa distributions at N energies each.",
  source: FLUX_FORMULA,
  dims: { B: "distributions", N: "energies of each" },
  args: [
    energy("B", "N"),
    DENSITY,
    EXPONENT,
    THETA,
    { name: "flux", role: "out", dtype: "f64", shape: ["B", "N"], unit: "cm⁻² s⁻¹ eV⁻¹", doc: "J" },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * (60 * d.N! + 200),
};

export const kappaResponse: Kernel = {
  name: "kappa_response",
  family: "kappa",
  doc:
    "Energy response of the analyser on each sweep's own energies: J′_i = Σ_j W_ij J_j. Rows and columns of missing " +
    "energies are 0.",
  source: "W_ij ∝ exp(−½ (ln(E_i/E_j)/s)²), rows of unit sum, s = asinh(¼)/√(2 ln 2)",
  dims: { B: "sweeps", R: "energies" },
  args: [
    energy("B", "R"),
    {
      name: "response",
      role: "out",
      dtype: "f64",
      shape: ["B", "R", "R"],
      unit: "1",
      doc: "W, row i the energy measured at",
    },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 30 * d.B! * d.R! * d.R!,
};

export const kappaChisq: Kernel = {
  name: "kappa_chisq",
  family: "kappa",
  doc:
    "The reference's chi-square of P trial pairs (κ, lg θ) of each sweep, density given: logarithms of flux seen through " +
    "the energy response. Rows of missing energy are left out.",
  source: "χ² = Σ_i [w_i (ln(J′_i + 10⁻⁶) − ln(Jobs_i + 10⁻⁶))]²",
  dims: { B: "sweeps", P: "trials of each", R: "energies" },
  args: [
    energy("B", "R"),
    ofRows("flux", "in", "cm⁻² s⁻¹ eV⁻¹", "measured J, from kappa_prepare"),
    ofRows("weight", "in", "1", "w, from kappa_prepare"),
    DENSITY,
    {
      name: "trial",
      role: "in",
      dtype: "f64",
      shape: ["B", "P", "2"],
      unit: "1, lg(m/s)",
      doc: "κ and lg θ",
    },
    { name: "chi2", role: "out", dtype: "f64", shape: ["B", "P"], unit: "1", doc: "χ²" },
    { name: "scratch", role: "work", dtype: "f64", shape: ["R*R+R"], unit: "1", doc: "response, model" },
  ],
  tolerance: {
    relative: 1e-11,
    absolute: 0,
    reason:
      "weights up to 5e5 on logarithms near 14: where both nearly agree 1e-16 · 14 / |difference| is left",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * d.P! * d.R! * (2 * d.R! + 100) + 30 * d.B! * d.R! * d.R!,
};

export const kappaPrepare: Kernel = {
  name: "kappa_prepare",
  family: "kappa",
  doc:
    "What a kappa fit needs of each sweep and energy, from the cells that look into the incident electrons (pitch angle " +
    "below 90° about polarity · B). Cells without a finite flux or direction are missing: the flux of the others stands " +
    "for them. A row with no incident cell has flux NaN, exposure 0, weight 0. A row without counts has weight 0.",
  source:
    "J = 2 Σ F Ω, N = Σ round(max(F, 0) · factor · E) (ties to even), σ² = N + (0.05 N)² + (0.1 N)², w = 1/(σ_lnJ + 10⁻⁶), " +
    "n = Σ_rows J/v · E′/2",
  dims: { B: "sweeps", R: "energies", C: "cells" },
  args: [
    energy("B", "R"),
    ofRows("potential", "in", "V", "of the spacecraft; E′ = E − V"),
    {
      name: "phi",
      role: "in",
      dtype: "f64",
      shape: ["B", "R", "C"],
      unit: "degree",
      doc: "azimuths of the cells; NaN or from 998 on = unknown",
    },
    {
      name: "flux",
      role: "in",
      dtype: "f64",
      shape: ["B", "R", "C"],
      unit: "cm⁻² s⁻¹ sr⁻¹ eV⁻¹",
      doc: "F; NaN, or the archive's fill value (0 < |F| < 1e-90) = missing",
    },
    { name: "field", role: "in", dtype: "f64", shape: ["B", "R", "3"], unit: "nT", doc: "magnetic field" },
    ofRows(
      "polarity",
      "in",
      "1",
      "+1 or −1: the field times this points at the Moon; else no cell is incident",
    ),
    { name: "theta", role: "in", dtype: "f64", shape: ["C"], unit: "degree", doc: "latitudes of the cells" },
    { name: "solid", role: "in", dtype: "f64", shape: ["C"], unit: "sr", doc: "solid angles Ω" },
    {
      name: "factor",
      role: "in",
      dtype: "f64",
      shape: ["C"],
      unit: "cm² sr s",
      doc: "counts of a unit flux at 1 eV: 0.02 · 2.5 / cells of the ring",
    },
    ofRows("omni", "out", "cm⁻² s⁻¹ eV⁻¹", "J"),
    ofRows("counts", "out", "1", "N of all cells"),
    ofRows("weight", "out", "1", "w of ln J; 0 without counts, never the largest"),
    ofRows("incident", "out", "1", "counts of the incident cells"),
    ofRows("exposure", "out", "cm² s eV", "counts in those cells of unit isotropic J"),
    {
      name: "density",
      role: "out",
      dtype: "f64",
      shape: ["B"],
      unit: "m⁻³",
      doc: "estimate, rows with E′ > 0",
    },
    {
      name: "scratch",
      role: "work",
      dtype: "f64",
      shape: ["3*C"],
      unit: "1",
      doc: "direction cosines of the cells, incidence",
    },
  ],
  tolerance: { relative: 1e-12, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 60 * d.B! * d.R! * d.C!,
};

export const kappaFit: Kernel = {
  name: "kappa_fit",
  family: "kappa",
  doc:
    "Kappa distribution of each sweep by maximum (quasi-)likelihood of Poisson counts with a relative systematic error; " +
    "rows without counts are upper limits. Density in closed form for each (κ, lg θ); these from a grid of starts by " +
    "damped scoring within bounds. At most 32 energies. Rows without exposure or with E − V ≤ 0 are left out.",
  source:
    "D = Σ_i 2 w_i (μ_i − N_i + N_i ln(N_i/μ_i)), w_i = 1/(1 + s² N_i), μ_i = exposure_i Σ_j W_ij J_j; " +
    "n = Σ w N / Σ w μ₁; covariance = inverse of Σ w_i μ_i ∂ln μ_i ∂ln μ_i",
  dims: { B: "sweeps", R: "energies, up to 32", RESPONSE: "1: energy response W, 0: none" },
  args: [
    energy("B", "R"),
    ofRows("potential", "in", "V", "of the spacecraft: the distribution is seen at E − V"),
    ofRows("incident", "in", "1", "counts N, from kappa_prepare"),
    ofRows("exposure", "in", "cm² s eV", "counts of unit J, from kappa_prepare"),
    {
      name: "settings",
      role: "in",
      dtype: "f64",
      shape: ["5"],
      unit: "1",
      doc: "bounds of κ, bounds of lg θ (m/s), relative systematic error s",
    },
    {
      name: "solution",
      role: "out",
      dtype: "f64",
      shape: ["B", "3"],
      unit: "1, lg(m/s), ln(m⁻³)",
      doc: "κ, lg θ, ln n",
    },
    {
      name: "covariance",
      role: "out",
      dtype: "f64",
      shape: ["B", "6"],
      unit: "1",
      doc:
        "lower triangle by rows, of the parameters off their bounds; 0 for those at one, NaN where singular",
    },
    { name: "deviance", role: "out", dtype: "f64", shape: ["B"], unit: "1", doc: "D" },
    {
      name: "state",
      role: "out",
      dtype: "i32",
      shape: ["B", "3"],
      unit: "1",
      doc:
        "0 converged, 1 not, 2 fewer than 3 rows, 3 fewer than 2 rows with counts; rows used; bit 0: κ at a bound, " +
        "bit 1: lg θ",
    },
    {
      name: "scratch",
      role: "work",
      dtype: "f64",
      shape: ["(R+8)*(R+1)"],
      unit: "1",
      doc: "response, model and derivatives",
    },
  ],
  tolerance: {
    relative: 1e-6,
    absolute: 0,
    reason:
      "place of a minimum: rounding of 1e-13 in the gradient times the condition of a cold or empty sweep, 1e6",
  },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * (100 * d.R! * (2 * d.R! + 100) + 30 * d.R! * (6 * d.R! + 120)),
};

export const KAPPA: readonly Kernel[] = [kappaFlux, kappaResponse, kappaChisq, kappaPrepare, kappaFit];
