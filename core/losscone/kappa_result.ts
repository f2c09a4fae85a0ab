/** What a kappa fit says of a sweep. */
import { temperatureOf } from "./kappa_distribution.ts";

/** Why a sweep has the answer it has. */
export type KappaReason =
  | "fitted"
  /** The last step was not small: values are kept. */
  | "not converged"
  /** Polarity unknown, or no cell that looks into the incident electrons has data. */
  | "no incident cells"
  /** Fewer than three energies with data above the spacecraft potential. */
  | "too few rows"
  /** Fewer than two of them with counts. */
  | "too few counts";

export interface KappaResult {
  /** NaN, as everything below, where there is no fit. */
  readonly kappa: number;
  /** Thermal speed, m/s. */
  readonly theta: number;
  /** eV. */
  readonly temperature: number;
  /** m⁻³. */
  readonly density: number;
  /** One standard error each, by propagation of the covariance; NaN for what is at a bound or singular. */
  readonly sigmaKappa: number;
  readonly sigmaTheta: number;
  readonly sigmaTemperature: number;
  readonly sigmaDensity: number;
  /** Of (κ, lg θ, ln n), lower triangle by rows; 0 for a parameter at its bound. */
  readonly covariance: readonly number[];
  /** Deviance of the counts: about rows − 3 where the model holds. */
  readonly chi2: number;
  /** Energies that the fit used. */
  readonly rows: number;
  readonly atBound: boolean;
  readonly converged: boolean;
  /** The reference's estimate of the density, Σ J/v · ΔE, m⁻³; biased low where electrons are below the lowest energy. */
  readonly densityEstimate: number;
  readonly reason: KappaReason;
}

/** Bits of the state that the kernel gives for parameters at a bound. */
const KAPPA_HELD = 1, THETA_HELD = 2;
const LN10 = Math.LN10;

/**
 * @param solution - κ, lg θ, ln n
 * @param covariance - of these, lower triangle
 * @param state - code, rows, bits of bounds, as `kappa_fit` has them
 * @param seen - whether any row had an incident cell with data
 */
export function kappaResult(
  solution: ArrayLike<number>,
  covariance: readonly number[],
  deviance: number,
  state: ArrayLike<number>,
  densityEstimate: number,
  seen: boolean,
): KappaResult {
  const [kappa, lgTheta, lnDensity] = [solution[0], solution[1], solution[2]];
  const [code, rows, held] = [state[0], state[1], state[2]];
  const theta = 10 ** lgTheta, temperature = temperatureOf(kappa, theta), density = Math.exp(lnDensity);
  const [kk, kt, tt, , , nn] = covariance;
  const free = (bit: number, value: number) => (held & bit) !== 0 ? NaN : value;
  // ∂ ln T/∂κ = 1/κ − 1/(κ − 3/2), ∂ ln T/∂ lg θ = 2 ln 10
  const dk = 1 / kappa - 1 / (kappa - 1.5), dt = 2 * LN10;
  const variance = dk * dk * kk + 2 * dk * dt * kt + dt * dt * tt;
  const reason: KappaReason = code === 0
    ? "fitted"
    : code === 1
    ? "not converged"
    : !seen
    ? "no incident cells"
    : code === 2
    ? "too few rows"
    : "too few counts";
  return {
    kappa,
    theta,
    temperature,
    density,
    sigmaKappa: free(KAPPA_HELD, Math.sqrt(kk)),
    sigmaTheta: free(THETA_HELD, theta * LN10 * Math.sqrt(tt)),
    sigmaTemperature: held === (KAPPA_HELD | THETA_HELD) ? NaN : temperature * Math.sqrt(variance),
    sigmaDensity: density * Math.sqrt(nn),
    covariance,
    chi2: deviance,
    rows,
    atBound: held !== 0,
    converged: code === 0,
    densityEstimate,
    reason,
  };
}
