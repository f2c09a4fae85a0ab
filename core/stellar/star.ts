/**
 * The whole fit of one star, as a computation that asks: minimise, measure the curvature, look around for something
 * lower and for what the errors reach, the velocity posterior.
 */
import { covariance, type Curvature, measureCurvature } from "./curvature.ts";
import type { Asking } from "./asking.ts";
import { lookAround } from "./look_around.ts";
import { begunAgain, minimise } from "./optimiser.ts";
import type { ParameterSpace, Point } from "./parameter_space.ts";
import { type VelocityMoments, velocityPosterior } from "./posterior.ts";

/** Lower minima that are followed, one after the other. */
const MOST_ROUNDS = 8;

export interface StarFit {
  readonly curvature: Curvature;
  /** Shape (n, n), physical units. */
  readonly covariance: Float64Array;
  readonly moments: VelocityMoments;
}

/**
 * @param starts - from the cross-correlation, the best first
 * @param rivals - another velocity is nearly as good: look over the whole range for the posterior
 */
export function* fitStar(
  space: ParameterSpace,
  starts: readonly Point[],
  rivals: boolean,
): Asking<StarFit | null> {
  const minimum = yield* minimise(space, starts);
  if (minimum === null) return null;
  let curvature = yield* measureCurvature(space, minimum);
  let around = yield* lookAround(space, curvature.minimum, curvature.hessian);
  for (let round = 0; around.lower !== null && round < MOST_ROUNDS; round++) {
    const { evaluations } = curvature.minimum;
    const lower = { ...around.lower, evaluations: evaluations + around.evaluations };
    curvature = yield* measureCurvature(space, yield* begunAgain(space, lower));
    around = yield* lookAround(space, curvature.minimum, curvature.hessian);
  }
  const v = space.free.indexOf(0);
  const m = space.free.length;
  let moments: VelocityMoments = { error: NaN, skewness: NaN, kurtosis: NaN };
  if (v >= 0) {
    const sigma = Math.sqrt(2 / curvature.hessian[v * m + v]!);
    moments = yield* velocityPosterior(space, curvature.minimum.point, sigma, rivals);
  }
  const evaluations = curvature.minimum.evaluations + around.evaluations;
  return {
    curvature: { ...curvature, minimum: { ...curvature.minimum, evaluations } },
    covariance: covariance(space, curvature, around.beyond),
    moments,
  };
}
