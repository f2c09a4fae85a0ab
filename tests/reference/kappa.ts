/** Slow, plain kappa distributions: response, chi-square, preparation of a sweep, deviance of a fit. */
import { kappaFlux, MASS_OVER_CHARGE } from "../../core/losscone/kappa_distribution.ts";

const DEGREE = Math.PI / 180;

/** W of one sweep, row by row; missing energies make rows and columns of 0. */
export function slowResponse(energy: readonly number[]): number[][] {
  const spread = Math.asinh(0.25) / Math.sqrt(2 * Math.log(2));
  return energy.map((ei) => {
    const row = energy.map((ej) =>
      ei > 0 && ej > 0 ? Math.exp(-0.5 * ((Math.log(ei) - Math.log(ej)) / spread) ** 2) : 0
    );
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((v) => sum > 0 ? v / sum : 0);
  });
}

const through = (w: readonly number[][], j: readonly number[]) =>
  w.map((row) => row.reduce((sum, v, k) => sum + v * j[k]!, 0));

/** The reference's chi-square at (κ, lg θ). */
export function slowKappaChisq(
  energy: readonly number[],
  flux: readonly number[],
  weight: readonly number[],
  density: number,
  [kappa, lgTheta]: readonly [number, number],
): number {
  const j = energy.map((e) => e > 0 ? kappaFlux({ density, kappa, theta: 10 ** lgTheta }, e) : 0);
  return through(slowResponse(energy), j).reduce((sum, m, i) => {
    if (!(energy[i]! > 0)) return sum;
    return sum + (weight[i]! * (Math.log(m + 1e-6) - Math.log(flux[i]! + 1e-6))) ** 2;
  }, 0);
}

export interface SlowRow {
  readonly omni: number;
  readonly counts: number;
  readonly weight: number;
  readonly incident: number;
  readonly exposure: number;
  /** The row's part of the density estimate, m⁻³. */
  readonly density: number;
}

export interface SlowCells {
  readonly phi: readonly number[];
  readonly flux: readonly number[];
  readonly theta: readonly number[];
  readonly solid: readonly number[];
  readonly factor: readonly number[];
}

function halfEven(x: number): number {
  const below = Math.floor(x), over = x - below;
  return over < 0.5 || (over === 0.5 && below % 2 === 0) ? below : below + 1;
}

/** One row of a sweep. */
export function slowRow(
  energy: number,
  potential: number,
  field: readonly number[],
  polarity: number,
  cells: SlowCells,
): SlowRow {
  const size = Math.hypot(...field), known = energy > 0 && Number.isFinite(energy);
  let sum = 0, seen = 0, whole = 0, counts = 0, incident = 0, exposure = 0;
  cells.flux.forEach((flux, k) => {
    const [p, t] = [cells.phi[k]! * DEGREE, cells.theta[k]! * DEGREE];
    const cosine = polarity *
      (field[0]! * Math.cos(p) * Math.cos(t) + field[1]! * Math.sin(p) * Math.cos(t) +
        field[2]! * Math.sin(t)) /
      size;
    const way = Math.abs(polarity) === 1 && size > 0,
      pointed = Math.abs(cells.phi[k]!) < 998 && !Number.isNaN(cosine);
    const into = way && pointed && cosine > 0;
    whole += into ? cells.solid[k]! : way && !pointed ? cells.solid[k]! / 2 : 0;
    if (!Number.isFinite(flux) || !known || (flux !== 0 && Math.abs(flux) <= 1e-90)) return;
    const n = halfEven(Math.max(flux, 0) * cells.factor[k]! * energy);
    counts += n;
    if (!into) return;
    sum += flux * cells.solid[k]!;
    seen += cells.solid[k]!;
    incident += n;
    exposure += cells.factor[k]! * energy / (4 * Math.PI);
  });
  const omni = seen > 0 ? 2 * sum * whole / seen : NaN;
  const sigma = Math.sqrt(counts + 0.0025 * counts ** 2 + 0.01 * counts ** 2);
  const lnSigma = sigma / (counts + 1e-6) * omni / (omni + 1e-6) + 1e-6;
  const left = energy - potential;
  return {
    omni,
    counts,
    weight: counts > 0 && seen > 0 ? 1 / (lnSigma + 1e-6) : 0,
    incident,
    exposure,
    density: seen > 0 && left > 0 ? 1e4 * omni / Math.sqrt(2 * left / MASS_OVER_CHARGE) * left / 2 : 0,
  };
}

export interface SlowSweep {
  readonly energy: readonly number[];
  readonly potential: readonly number[];
  readonly incident: readonly number[];
  readonly exposure: readonly number[];
}

/** Rows of a sweep that a fit uses. */
export function usedRows({ energy, potential, incident, exposure }: SlowSweep): number[] {
  return energy.map((_, i) => i).filter((i) =>
    energy[i]! > 0 && energy[i]! - potential[i]! > 0 && exposure[i]! > 0 && incident[i]! >= 0
  );
}

/** Counts that unit density would make in each row. */
export function unitCounts(sweep: SlowSweep, kappa: number, lgTheta: number, response: boolean): number[] {
  const { energy, potential, exposure } = sweep;
  const j = energy.map((e, i) =>
    e > 0 && e - potential[i]! > 0
      ? kappaFlux({ density: 1, kappa, theta: 10 ** lgTheta }, e - potential[i]!)
      : 0
  );
  const seen = response ? through(slowResponse(energy), j) : j;
  return seen.map((m, i) => m * exposure[i]!);
}

/** Deviance at (κ, lg θ) with the best density, and that density. */
export function slowDeviance(
  sweep: SlowSweep,
  kappa: number,
  lgTheta: number,
  response: boolean,
  systematic: number,
): { deviance: number; density: number; mu: number[]; weight: number[] } {
  const rows = usedRows(sweep), unit = unitCounts(sweep, kappa, lgTheta, response);
  const weight = sweep.incident.map((n) => 1 / (1 + systematic ** 2 * n));
  const total = (f: (i: number) => number) => rows.reduce((sum, i) => sum + f(i), 0);
  const density = total((i) => weight[i]! * sweep.incident[i]!) / total((i) => weight[i]! * unit[i]!);
  const mu = unit.map((m) => density * m);
  const deviance = total((i) => {
    const n = sweep.incident[i]!;
    return 2 * weight[i]! * (mu[i]! - n + (n > 0 ? n * Math.log(n / mu[i]!) : 0));
  });
  return { deviance, density, mu, weight };
}
