/** How a computation on one star asks for evaluations, so that a whole batch can be answered at once. */
import type { Evaluation, Point } from "./parameter_space.ts";

/** Everything at `point` held but the velocity: the values at `velocities` (km/s) are asked for. */
export interface Scan {
  readonly point: Point;
  readonly velocities: Float64Array;
}

/** What a star asks for in a step: points (answered by Evaluation[]) or a scan (answered by Float64Array). */
export type Question = readonly Point[] | Scan;

/** A computation that asks. The answer's type follows the question's, which TypeScript cannot say of a generator. */
export type Asking<R> = Generator<Question, R, any>;

/** Asks for one point. */
export function* evaluate(point: Point): Asking<Evaluation> {
  return (yield [point])[0] as Evaluation;
}
