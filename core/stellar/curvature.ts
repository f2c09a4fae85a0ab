/**
 * The curvature of −2 ln L at a minimum, the last Newton step, and the covariance.
 *
 * The Hessian is taken by differences of the exact gradient, within the polynomial of the minimum's own cell (which
 * continues smoothly past its faces), so differences never straddle a kink or a border. They are one-sided; the third
 * derivatives that this would leave in the result are those of the Gauss-Newton matrix but for a small part, and its
 * difference between the same two points takes them out: H_a = Δg/h − ½ ΔGN_a. What a near kink does to the errors is added from both sides of it: kinks.ts.
 */
import { type Beyond, kinkedCovariance } from "./kinks.ts";
import { type Asking, evaluate } from "./asking.ts";
import type { Minimum } from "./optimiser.ts";
import type { Evaluation, ParameterSpace, Point } from "./parameter_space.ts";
import { boxStep, choleskyFactor, invertSymmetric, predictedFall } from "./quadratic.ts";

/** Difference step in units of the conditional error. */
const STEP = 0.002;

export interface Curvature {
  readonly minimum: Minimum;
  /** Hessian of −2 ln L over the free coordinates, shape (m, m). */
  readonly hessian: Float64Array;
  /** The Hessian was not positive definite; the Gauss-Newton matrix stands in its place. */
  readonly bad: boolean;
}

/** Measures the Hessian, then takes Newton steps to the bottom of the cell. */
export function* measureCurvature(space: ParameterSpace, start: Minimum): Asking<Curvature> {
  const { free } = space;
  const m = free.length;
  const n = space.names.length;
  let { point, evaluation } = start;
  const gaussNewton = Float64Array.from({ length: m * m }, (_, k) => {
    return evaluation.curvature[free[Math.floor(k / m)]! * n + free[k % m]!]!;
  });
  if (m === 0) return { minimum: start, hessian: gaussNewton, bad: false };

  const steps = free.map((i, a) => {
    const sigma = Math.sqrt(2 / gaussNewton[a * m + a]!);
    const width = space.upper[i]! - space.lower[i]!;
    return STEP * (Number.isFinite(sigma) ? Math.min(sigma, width) : width);
  });
  const points: Point[] = [];
  free.forEach((i, a) => {
    const x = point.x.slice();
    x[i]! += steps[a]!;
    points.push({ ...point, x });
  });
  const around: readonly Evaluation[] = yield points;
  const hessian = new Float64Array(m * m);
  for (let a = 0; a < m; a++) {
    for (let b = 0; b < m; b++) {
      const i = free[a]!, j = free[b]!;
      const there = (around[a]!.gradient[j]! - evaluation.gradient[j]!) / steps[a]! -
        (around[a]!.curvature[i * n + j]! - evaluation.curvature[i * n + j]!) / 2;
      hessian[a * m + b]! += there / 2;
      hessian[b * m + a]! += there / 2;
    }
  }
  const bad = choleskyFactor(scaled(hessian, m), m) === null;
  const H = bad ? gaussNewton : hessian;

  let evaluations = start.evaluations + points.length;
  const bounds = space.cellBounds(point.cell);
  for (let round = 0; round < 3; round++) {
    const g = Float64Array.from(free, (i) => evaluation.gradient[i]!);
    const lo = Float64Array.from(free, (i) => Math.min(0, bounds.lower[i]! - point.x[i]!));
    const hi = Float64Array.from(free, (i) => Math.max(0, bounds.upper[i]! - point.x[i]!));
    const step = boxStep(H, g, lo, hi);
    if (predictedFall(H, g, step) < 1e-9) break;
    const x = point.x.slice();
    free.forEach((i, a) => {
      x[i] = step[a]! <= lo[a]! ? bounds.lower[i]! : step[a]! >= hi[a]! ? bounds.upper[i]! : x[i]! + step[a]!;
      x[i] = Math.min(bounds.upper[i]!, Math.max(bounds.lower[i]!, x[i]!));
    });
    const there: Point = { ...point, x };
    const e = yield* evaluate(there);
    evaluations++;
    if (!(e.value <= evaluation.value)) break;
    point = there;
    evaluation = e;
  }
  return { minimum: { ...start, point, evaluation, evaluations }, hessian: H, bad };
}

function scaled(H: Float64Array, m: number): Float64Array {
  return H.map((value, k) => value / Math.sqrt(H[Math.floor(k / m) * (m + 1)]! * H[(k % m) * (m + 1)]!));
}

/**
 * Covariance of all coordinates, physical units, shape (n, n); NaN in rows and columns of fixed ones.
 *
 * Rotation cannot be negative: where vsini is within a few σ of zero its posterior is a Gaussian cut off there, so its
 * second moment about the answer replaces its variance, and the other parameters' variances shrink by what they owe to
 * the part cut off.
 */
export function covariance(
  space: ParameterSpace,
  { minimum, hessian }: Curvature,
  beyond: readonly Beyond[],
): Float64Array {
  const { free } = space;
  const m = free.length;
  const n = space.names.length;
  const out = new Float64Array(n * n).fill(NaN);
  const inverse = invertSymmetric(hessian, m);
  if (inverse === null) return out;
  const { point, evaluation } = minimum;
  const gradient = Float64Array.from(free, (i) => evaluation.gradient[i]!);
  const plain = inverse.map((value) => 2 * value);
  const cov = kinkedCovariance(space, point, evaluation.value, gradient, hessian, plain, beyond).slice();
  const v = free.indexOf(1);
  if (v >= 0) truncateAtZero(cov, m, v, minimum, space);
  for (let a = 0; a < m; a++) {
    for (let b = 0; b < m; b++) {
      const i = free[a]!, j = free[b]!;
      out[i * n + j] = cov[a * m + b]! * space.scale(i, minimum.point.x[i]!) *
        space.scale(j, minimum.point.x[j]!);
    }
  }
  return out;
}

/** Replaces the Gaussian in coordinate v (≥ 0) by its part above zero. */
function truncateAtZero(
  cov: Float64Array,
  m: number,
  v: number,
  minimum: Minimum,
  space: ParameterSpace,
): void {
  const answer = minimum.point.x[space.free[v]!]!;
  const variance = cov[v * m + v]!;
  const sigma = Math.sqrt(variance);
  if (answer > 4 * sigma) return;
  // where the unbounded minimum would lie, all else following: only the gradient in v is left at the answer
  const g = minimum.evaluation.gradient[space.free[v]!]!;
  const centre = answer === 0 ? -Math.max(0, g) * variance / 2 : answer;
  const { second } = truncatedNormal(centre / sigma, answer / sigma);
  const ratio = Math.min(1, second);
  const slopes = Float64Array.from({ length: m }, (_, a) => cov[a * m + v]! / variance);
  for (let a = 0; a < m; a++) {
    for (let b = 0; b < m; b++) cov[a * m + b]! -= slopes[a]! * slopes[b]! * variance * (1 - ratio);
  }
}

/** Second moment about `about` of a unit normal centred at `mean`, cut off below 0. */
function truncatedNormal(mean: number, about: number): { second: number } {
  let norm = 0, second = 0;
  const top = Math.max(mean, 0) + 10;
  const steps = 4000;
  // far below zero the density falls as exp(−|mean| x): resolve that scale
  const reach = mean < -3 ? Math.min(top, 40 / -mean) : top;
  for (let k = 0; k < steps; k++) {
    const x = (k + 0.5) * reach / steps;
    const p = Math.exp(-0.5 * (x - mean) ** 2 + 0.5 * Math.min(mean, 0) ** 2);
    norm += p;
    second += p * (x - about) ** 2;
  }
  return { second: second / norm };
}
