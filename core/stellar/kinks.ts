/**
 * Errors near a kink. Multilinear interpolation bends the likelihood on the faces of its cells; where the answer lies
 * within a few σ of one, part of the posterior is on the other side, where its curvature is another. Both sides are
 * taken as Gaussians cut off at the face, and the second moments of the two about the answer together replace the
 * covariance.
 */
import type { Evaluation, ParameterSpace, Point } from "./parameter_space.ts";
import { choleskyFactor, choleskySolve } from "./quadratic.ts";

const STEPS = 400;

/** What lies behind a face. */
export interface Beyond {
  /** Free coordinate that the face bounds, as a position in space.free. */
  readonly coordinate: number;
  /** +1: the other side is above. */
  readonly side: number;
  /** On the face, in the cell behind it. */
  readonly point: Point;
  readonly evaluation: Evaluation;
}

/** A quadratic −2 ln L about a reference point, valid on one side of a face. */
interface Side {
  /** Reference less answer, free coordinates. */
  readonly offset: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
}

/** Moments of one side: weight, and Σ weight · (x − answer)(x − answer)ᵀ. */
function accumulate(side: Side, a: number, from: number, to: number, m: number): [number, Float64Array] {
  const moments = new Float64Array(m * m);
  const others = Array.from({ length: m }, (_, b) => b).filter((b) => b !== a);
  const n = others.length;
  const C = Float64Array.from(
    { length: n * n },
    (_, k) => side.hessian[others[Math.floor(k / n)]! * m + others[k % n]!]!,
  );
  const l = choleskyFactor(C, n);
  if (l === null) return [NaN, moments];
  let logdet = 0;
  for (let k = 0; k < n; k++) logdet += 2 * Math.log(l[k * n + k]!);
  const conditional = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const unit = new Float64Array(n);
    unit[k] = 2;
    choleskySolve(l, unit, n).forEach((x, j) => conditional[j * n + k] = x);
  }
  const slope = choleskySolve(l, Float64Array.from(others, (b) => side.hessian[b * m + a]!), n);
  const start = choleskySolve(l, Float64Array.from(others, (b) => side.gradient[b]!), n);
  const r = new Float64Array(m);
  let weight = 0;
  for (let k = 0; k < STEPS; k++) {
    const delta = from + (k + 0.5) * (to - from) / STEPS;
    // others at their optimum for this delta
    let value = side.value + side.gradient[a]! * delta + 0.5 * side.hessian[a * m + a]! * delta * delta;
    others.forEach((b, j) => {
      const pull = side.gradient[b]! + side.hessian[b * m + a]! * delta;
      const move = -(start[j]! + slope[j]! * delta);
      value += 0.5 * pull * move;
      r[b] = side.offset[b]! + move;
    });
    r[a] = side.offset[a]! + delta;
    const p = Math.exp(-0.5 * (value + logdet)) * Math.abs(to - from) / STEPS;
    weight += p;
    for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) moments[i * m + j]! += p * r[i]! * r[j]!;
    others.forEach((i, x) => others.forEach((j, y) => moments[i * m + j]! += p * conditional[x * n + y]!));
  }
  return [weight, moments];
}

/**
 * Second moments about the answer with what lies beyond the near faces; the covariance itself where nothing does.
 * Several faces add their corrections; if that is not positive definite, the largest alone counts.
 *
 * @param value - −2 ln L at the answer
 * @param covariance - 2 H⁻¹, shape (m, m)
 */
export function kinkedCovariance(
  space: ParameterSpace,
  point: Point,
  value: number,
  gradient: Float64Array,
  hessian: Float64Array,
  covariance: Float64Array,
  beyond: readonly Beyond[],
): Float64Array {
  const m = space.free.length;
  const corrections: Float64Array[] = [];
  for (const coordinate of new Set(beyond.map((b) => b.coordinate))) {
    const a = coordinate, i = space.free[a]!;
    const sigma = Math.sqrt(covariance[a * m + a]!);
    const faces = beyond.filter((b) => b.coordinate === a);
    const at = (side: number) => {
      const face = faces.find((b) => b.side === side);
      return face === undefined ? null : face.point.x[i]! - point.x[i]!;
    };
    const here: Side = { offset: new Float64Array(m), value: 0, gradient, hessian };
    const [weight, moments] = accumulate(here, a, at(-1) ?? -8 * sigma, at(1) ?? 8 * sigma, m);
    let total = weight;
    for (const { side, point: there, evaluation } of faces) {
      const n = space.names.length;
      const behind: Side = {
        offset: Float64Array.from(space.free, (j) => there.x[j]! - point.x[j]!),
        value: evaluation.value - value,
        gradient: Float64Array.from(space.free, (j) => evaluation.gradient[j]!),
        hessian: Float64Array.from({ length: m * m }, (_, k) => {
          return evaluation.curvature[space.free[Math.floor(k / m)]! * n + space.free[k % m]!]!;
        }),
      };
      // the cell behind is as wide as it is; a Gaussian of its own width is over before that or cut off there
      const nodes = space.nodes[i - 2]!;
      const width = nodes[there.cell[i - 2]! + 1]! - nodes[there.cell[i - 2]!]!;
      const own = 8 * Math.max(sigma, Math.sqrt(2 / behind.hessian[a * m + a]!));
      const [w, mm] = accumulate(behind, a, 0, side * Math.min(width, own), m);
      if (!(w > 0)) continue;
      total += w;
      mm.forEach((x, k) => moments[k]! += x);
    }
    if (!(total > 0)) continue;
    corrections.push(moments.map((x, k) => x / total - covariance[k]!));
  }
  if (corrections.length === 0) return covariance;
  const sum = covariance.map((c, k) => corrections.reduce((s, correction) => s + correction[k]!, c));
  if (choleskyFactor(sum, m) !== null) return sum;
  const size = (c: Float64Array) =>
    Array.from({ length: m }, (_, a) => c[a * m + a]! / covariance[a * m + a]!)
      .reduce((s, x) => s + Math.abs(x), 0);
  const largest = corrections.sort((p, q) => size(q) - size(p))[0]!;
  const alone = covariance.map((c, k) => c + largest[k]!);
  return choleskyFactor(alone, m) === null ? covariance : alone;
}
