/**
 * Minimises −2 ln L of one star. Written as a generator that yields the points it wants evaluated and is resumed with
 * their values, so that a whole batch steps together: one kernel call evaluates a point of every star still running.
 *
 * Gauss-Newton with variable projection (the continuum is eliminated in the kernel), light damping, box constraints.
 * ln flux is smooth inside a grid cell and has kinks on its faces, so every point carries its cell; a minimum on a face
 * is looked at from the other side, where by continuity one evaluation gives all one-sided slopes.
 */
import { type Asking, evaluate } from "./asking.ts";
import type { Evaluation, ParameterSpace, Point } from "./parameter_space.ts";
import { boxStep, predictedFall } from "./quadratic.ts";
import { restarts } from "./restarts.ts";
import type { Reason } from "./result.ts";
import { Correction } from "./secant.ts";
import { damped, moved, restrict, room } from "./steps.ts";

/** An evaluation on a face of a minimum's cell, in the cell behind it. */
export interface Look {
  readonly point: Point;
  readonly evaluation: Evaluation;
}

export interface Minimum {
  readonly point: Point;
  readonly evaluation: Evaluation;
  readonly reason: Reason;
  readonly evaluations: number;
  /** What has been seen behind the faces that it lies on. */
  readonly looks: readonly Look[];
}

/** Lower by more than rounding. */
export function isLower(one: Minimum, other: Minimum): boolean {
  return one.evaluation.value < other.evaluation.value - 1e-6;
}

/** Stop when the undamped step within the cell promises less than this. */
const PROMISE = 1e-4;
const MOST_EVALUATIONS = 80;
/** A step into another cell is taken when it yields this much of its promise. */
const HARVEST = 0.3;
/** A descent whose promised end is this close to the best minimum, in −2 ln L by the quadratic, is on its way there. */
const SAME = 0.05;

interface State {
  point: Point;
  evaluation: Evaluation;
}

/**
 * Descends from one start to a minimum.
 *
 * @param best - stop early once the promised value stays above this minimum's, or the way leads to it
 * @param mostAtStart - do not begin where the start lies above this
 */
export function* descend(
  space: ParameterSpace,
  start: Point,
  best: Minimum | null = null,
  mostAtStart = Infinity,
): Asking<Minimum | null> {
  const m = space.free.length;
  let evaluations = 0;
  const ask = function* (point: Point): Asking<Evaluation> {
    evaluations++;
    return yield* evaluate(point);
  };
  const at = (x: Float64Array, cell: Int32Array): Point => ({ x, cell, template: start.template });
  const giveUpAbove = best?.evaluation.value ?? Infinity;

  let state: State = { point: start, evaluation: yield* ask(start) };
  if (!Number.isFinite(state.evaluation.value) || state.evaluation.value > mostAtStart) return null;
  let lambda = 1e-3;
  const crossed = new Set<string>();
  const looks: Look[] = [];
  const ended = ({ point, evaluation }: State, reason: Reason): Minimum => {
    return {
      point,
      evaluation,
      reason,
      evaluations,
      looks: looks.filter((look) => look.point.x === point.x),
    };
  };
  const correction = new Correction(m);
  const learn = (from: State, to: State) => {
    if (from.point.cell.some((c, d) => c !== to.point.cell[d])) return correction.reset();
    const step = Float64Array.from(space.free, (i) => to.point.x[i]! - from.point.x[i]!);
    const change = Float64Array.from(
      space.free,
      (i) => to.evaluation.gradient[i]! - from.evaluation.gradient[i]!,
    );
    correction.learn(restrict(space, to.evaluation).H, step, change);
  };

  while (evaluations < MOST_EVALUATIONS) {
    const { point, evaluation } = state;
    const { g, H: gaussNewton } = restrict(space, evaluation);
    const H = correction.applied(gaussNewton);
    const cell = space.cellBounds(point.cell);
    const inCell = room(space, point.x, cell.lower, cell.upper);
    const undamped = boxStep(H, g, inCell.lo, inCell.hi);
    const promise = predictedFall(H, g, undamped);

    if (promise < PROMISE) {
      const next = yield* acrossFaces(space, state, crossed, looks, ask, at);
      if (next === null) return ended(state, "converged");
      if (next === "kink") return ended(state, "kink");
      state = next;
      correction.reset();
      lambda = Math.min(lambda, 1e-3);
      continue;
    }
    if (evaluation.value - 2 * promise > giveUpAbove && evaluations > 2 && lambda <= 1e-3) {
      // even twice the promise would not reach the best; look on only while the step leaves the cell
      const wide = room(space, point.x, space.lower, space.upper);
      const far = boxStep(H, g, wide.lo, wide.hi);
      if (evaluation.value - 2 * predictedFall(H, g, far) > giveUpAbove) {
        return ended(state, "not fitted");
      }
    }
    if (best !== null && leadsTo(space, best, state, H, undamped, promise)) return ended(state, "not fitted");

    // (a) a step in the whole grid; (b) one that stops on the face
    const D = damped(H, m, lambda);
    const wide = room(space, point.x, space.lower, space.upper);
    const far = boxStep(D, g, wide.lo, wide.hi);
    const target = moved(space, point.x, far, wide.lo, wide.hi, space.lower, space.upper);
    const cellThere = space.cellOf(target, point.cell);
    const leaves = cellThere.some((c, d) => c !== point.cell[d]);
    if (leaves && space.whole(cellThere)) {
      const there = at(target, cellThere);
      const e = yield* ask(there);
      const fall = predictedFall(H, g, far);
      if (e.value <= evaluation.value - HARVEST * fall) {
        state = { point: there, evaluation: e };
        correction.reset();
        lambda = Math.max(lambda * 0.1, 1e-8);
        continue;
      }
    }
    const near = leaves ? boxStep(D, g, inCell.lo, inCell.hi) : far;
    const x = leaves ? moved(space, point.x, near, inCell.lo, inCell.hi, cell.lower, cell.upper) : target;
    const there = at(x, point.cell);
    const e = yield* ask(there);
    learn(state, { point: there, evaluation: e });
    if (e.value <= evaluation.value - 1e-3 * predictedFall(H, g, near)) {
      state = { point: there, evaluation: e };
      lambda = Math.max(lambda * 0.1, 1e-8);
    } else {
      lambda = Math.max(lambda * 10, 1e-3);
      if (lambda > 1e6) return ended(state, "converged");
    }
  }
  return ended(state, "iterations exhausted");
}

/** The quadratic of this cell ends where the best minimum is known to lie, and as low. */
function leadsTo(
  space: ParameterSpace,
  best: Minimum,
  { point, evaluation }: State,
  H: Float64Array,
  step: Float64Array,
  promise: number,
): boolean {
  if (point.template !== best.point.template) return false;
  if (point.cell.some((c, d) => c !== best.point.cell[d])) return false;
  if (Math.abs(evaluation.value - promise - best.evaluation.value) > SAME) return false;
  const apart = Float64Array.from(space.free, (i, a) => point.x[i]! + step[a]! - best.point.x[i]!);
  return -predictedFall(H, new Float64Array(apart.length), apart) < SAME;
}

/** Looks across the inner faces that the minimum presses against; null: none; "kink": uphill on both sides. */
function* acrossFaces(
  space: ParameterSpace,
  state: State,
  crossed: Set<string>,
  looks: Look[],
  ask: (point: Point) => Asking<Evaluation>,
  at: (x: Float64Array, cell: Int32Array) => Point,
): Asking<State | "kink" | null> {
  const { point, evaluation } = state;
  const flipped = point.cell.slice();
  const dims: number[] = [];
  space.nodes.forEach((nodes, d) => {
    if (!space.free.includes(2 + d)) return;
    const u = point.x[2 + d]!;
    const low = point.cell[d]!;
    const slope = evaluation.gradient[2 + d]!;
    const width = nodes[low + 1]! - nodes[low]!;
    // a slope that promises nothing over a whole cell is no push
    if (Math.abs(slope) * width < PROMISE) return;
    if (u === nodes[low] && slope > 0 && low > 0) {
      flipped[d] = low - 1;
      dims.push(d);
    } else if (u === nodes[low + 1] && slope < 0 && low + 2 < nodes.length) {
      flipped[d] = low + 1;
      dims.push(d);
    }
  });
  if (dims.length === 0) return null;
  const key = `${dims.join()}|${flipped.join()}|${Array.from(point.x.subarray(2)).join()}`;
  if (crossed.has(key)) return "kink";
  crossed.add(key);
  if (!space.whole(flipped)) return "kink";
  const beyond = at(point.x, flipped);
  const e = yield* ask(beyond);
  if (dims.length === 1) looks.push({ point: beyond, evaluation: e });
  const onward = dims.filter((d) => {
    const slope = e.gradient[2 + d]!;
    return flipped[d]! < point.cell[d]! ? slope > 0 : slope < 0;
  });
  if (onward.length === 0) return "kink";
  if (onward.length === dims.length) return { point: beyond, evaluation: e };
  const cell = point.cell.slice();
  for (const d of onward) cell[d] = flipped[d]!;
  if (!space.whole(cell)) return "kink";
  const some = at(point.x, cell);
  return { point: some, evaluation: yield* ask(some) };
}

/** Restart rotators this close to zero (in σ of vsini) without rotation. */
const SLOW = 4;
/** km/s: start with rotation where the minimum has none, and how much above the best it may begin. */
const FAST_START = 30;
const FAST_MARGIN = 60;
/** The lowest of several descents: from every start, from another vsini, and from where another minimum may be. */
export function* minimise(space: ParameterSpace, starts: readonly Point[]): Asking<Minimum | null> {
  let best: Minimum | null = null;
  let evaluations = 0;
  const consider = (found: Minimum | null): void => {
    if (found === null) return;
    evaluations += found.evaluations;
    if (best === null || isLower(found, best)) best = found;
  };
  const lowest = () => best as Minimum | null;

  for (const start of starts) consider(yield* descend(space, start, lowest()));
  if (lowest() === null) return null;

  if (space.free.includes(1)) {
    const here = lowest()!;
    const vsini = here.point.x[1]!;
    const n = space.names.length;
    const curvature = here.evaluation.curvature[n + 1]!;
    const sigma = curvature > 0 ? Math.sqrt(2 / curvature) : Infinity;
    const other = vsini > 0 && vsini < SLOW * sigma
      ? 0
      : vsini === 0
      ? Math.min(FAST_START, space.upper[1]!)
      : null;
    if (other !== null) {
      const x = here.point.x.slice();
      x[1] = other;
      const start: Point = { ...here.point, x };
      const margin = other > 0 ? here.evaluation.value + FAST_MARGIN : Infinity;
      consider(yield* descend(space, start, here, margin));
    }
  }

  return yield* begunAgain(space, { ...lowest()!, evaluations });
}

/** Minima that are begun again from, each lower than the one before. */
const MOST_AGAIN = 4;
/** The lowest of a minimum and of descents from where there may be another; its evaluations are all that were made. */
export function* begunAgain(space: ParameterSpace, minimum: Minimum): Asking<Minimum> {
  let best = minimum;
  let { evaluations } = minimum;
  for (let round = 0; round < MOST_AGAIN; round++) {
    const from: Minimum = best;
    for (const start of restarts(space, from)) {
      const found = yield* descend(space, start, best);
      if (found === null) continue;
      evaluations += found.evaluations;
      if (isLower(found, best)) best = found;
    }
    if (best === from) break;
  }
  return { ...best, evaluations };
}
