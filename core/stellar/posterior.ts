/** The velocity posterior with everything else held: error, skewness and kurtosis (spec §7). */
import type { Asking } from "./asking.ts";
import type { ParameterSpace, Point } from "./parameter_space.ts";

export interface VelocityMoments {
  /** √Σp(v−best)², km/s: about the best velocity, not the mean. */
  readonly error: number;
  readonly skewness: number;
  readonly kurtosis: number;
}

/**
 * Moments of p ∝ exp(−½(χ² − min)) on a grid of velocities, about `best`.
 *
 * @param velocities - km/s, evenly spaced, shape (n)
 * @param chisq - shape (n)
 */
export function momentsOnGrid(
  velocities: ArrayLike<number>,
  chisq: ArrayLike<number>,
  best: number,
): VelocityMoments & { readonly probabilities: Float64Array } {
  const n = velocities.length;
  let lowest = Infinity;
  for (let i = 0; i < n; i++) lowest = Math.min(lowest, chisq[i]!);
  const p = Float64Array.from({ length: n }, (_, i) => Math.exp(-0.5 * (chisq[i]! - lowest)));
  let norm = 0;
  for (const value of p) norm += value;
  let second = 0, third = 0, fourth = 0;
  for (let i = 0; i < n; i++) {
    p[i]! /= norm;
    const d = velocities[i]! - best;
    second += p[i]! * d * d;
    third += p[i]! * d * d * d;
    fourth += p[i]! * d * d * d * d;
  }
  const error = Math.sqrt(second);
  const narrow = error < 1e-10;
  return {
    error,
    skewness: narrow ? 0 : third / error ** 3,
    kurtosis: narrow ? 0 : fourth / error ** 4,
    probabilities: p,
  };
}

/** Vertex of the parabola through the lowest grid point and its neighbours; the grid point itself at an end. */
export function parabolaMinimum(velocities: ArrayLike<number>, chisq: ArrayLike<number>): number {
  let i = 0;
  for (let k = 1; k < chisq.length; k++) if (chisq[k]! < chisq[i]!) i = k;
  if (i === 0 || i === chisq.length - 1) return velocities[i]!;
  const [x0, x1, x2] = [velocities[i - 1]!, velocities[i]!, velocities[i + 1]!];
  const left = (chisq[i]! - chisq[i - 1]!) / (x1 - x0);
  const right = (chisq[i + 1]! - chisq[i]!) / (x2 - x1);
  const curvature = (right - left) / (x2 - x0);
  return curvature > 0 ? 0.5 * (x0 + x1) - left / (2 * curvature) : x1;
}

/** Half-width of the first window in σ, and the Δχ² that its ends must exceed. */
const REACH = 8;
const DEEP = 25;
/** Windows up to this half-width (km/s) are polynomials through Chebyshev nodes; wider ones splines, step in km/s. */
const POLYNOMIAL = 48;
const NODES = 13;
const SPLINE_STEP = 6;
const FINE = 801;

/**
 * Refines a window about the best velocity until the posterior fits into it and fills it.
 *
 * @param sigma - first guess of the error, km/s
 * @param everywhere - look over the whole search range at once: another velocity is nearly as good
 */
export function* velocityPosterior(
  space: ParameterSpace,
  point: Point,
  sigma: number,
  everywhere: boolean,
): Asking<VelocityMoments> {
  const best = point.x[0]!;
  const least = space.lower[0]!;
  const most = space.upper[0]!;
  const whole = Math.max(most - best, best - least);
  let half = everywhere || !(sigma > 0) ? whole : Math.min(whole, REACH * sigma);
  let moments: VelocityMoments = { error: NaN, skewness: NaN, kurtosis: NaN };
  for (let round = 0; round < 8; round++) {
    const from = Math.max(least, best - half);
    const to = Math.min(most, best + half);
    const polynomial = half <= POLYNOMIAL;
    const count = polynomial ? NODES : Math.ceil((to - from) / SPLINE_STEP) + 1;
    const velocities = Float64Array.from({ length: count }, (_, k) => {
      const t = polynomial ? -Math.cos(Math.PI * k / (count - 1)) : 2 * k / (count - 1) - 1;
      return 0.5 * (from + to) + 0.5 * (to - from) * t;
    });
    const values: Float64Array = yield { point, velocities };
    const fine = Float64Array.from({ length: FINE }, (_, k) => from + (to - from) * k / (FINE - 1));
    const curve = polynomial
      ? barycentric(velocities, values, fine)
      : naturalSpline(velocities, values, fine);
    moments = momentsOnGrid(fine, curve, best);
    if (!(moments.error >= 0)) break;
    let lowest = Infinity;
    for (const value of curve) lowest = Math.min(lowest, value);
    const openLeft = from > least && curve[0]! - lowest < DEEP;
    const openRight = to < most && curve[FINE - 1]! - lowest < DEEP;
    if (openLeft || openRight) {
      half = Math.min(whole, 2 * half);
      continue;
    }
    // the window must not be so wide that the posterior is a spike in it
    const tight = Math.max(REACH * moments.error, 1e-6);
    if (!everywhere && half > 2.5 * tight) {
      half = tight;
      continue;
    }
    if (everywhere && moments.error < SPLINE_STEP && half > POLYNOMIAL) {
      // the rivals turned out to be nothing: the window can close
      everywhere = false;
      half = Math.min(whole, Math.max(tight, 1));
      continue;
    }
    break;
  }
  const { error, skewness, kurtosis } = moments;
  return { error, skewness, kurtosis };
}

/** Polynomial through Chebyshev-Lobatto nodes (barycentric form). */
function barycentric(nodes: Float64Array, values: Float64Array, at: Float64Array): Float64Array {
  const n = nodes.length;
  return at.map((x) => {
    let above = 0, below = 0;
    for (let k = 0; k < n; k++) {
      const d = x - nodes[k]!;
      if (d === 0) return values[k]!;
      const w = (k % 2 === 0 ? 1 : -1) * (k === 0 || k === n - 1 ? 0.5 : 1) / d;
      above += w * values[k]!;
      below += w;
    }
    return above / below;
  });
}

/** Natural cubic spline on an even grid. */
function naturalSpline(nodes: Float64Array, values: Float64Array, at: Float64Array): Float64Array {
  const n = nodes.length;
  const h = nodes[1]! - nodes[0]!;
  const z = new Float64Array(n);
  const c = new Float64Array(n);
  for (let i = 1; i + 1 < n; i++) {
    const pivot = 1 / (4 - c[i - 1]!);
    c[i] = pivot;
    z[i] = ((values[i + 1]! - 2 * values[i]! + values[i - 1]!) - z[i - 1]!) * pivot;
  }
  for (let i = n - 2; i > 0; i--) z[i]! -= c[i]! * z[i + 1]!;
  return at.map((x) => {
    const i = Math.max(0, Math.min(n - 2, Math.floor((x - nodes[0]!) / h)));
    const u = (x - nodes[i]!) / h, v = 1 - u;
    return v * values[i]! + u * values[i + 1]! + (v * v - 1) * v * z[i]! + (u * u - 1) * u * z[i + 1]!;
  });
}
