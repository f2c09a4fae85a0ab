/** Looks behind the faces of a minimum's cell: for a lower minimum, and for what the errors reach. */
import { type Asking, evaluate } from "./asking.ts";
import type { Beyond } from "./kinks.ts";
import { descend, isLower, type Look, type Minimum } from "./optimiser.ts";
import type { ParameterSpace, Point } from "./parameter_space.ts";
import { boxStep, invertSymmetric, predictedFall } from "./quadratic.ts";
import { moved, restrict, room, stepHolding } from "./steps.ts";

/** All edges are looked across that cost less than this, in −2 ln L by the quadratic. */
const NEAR_EDGE = 9;
/** Faces closer than this, in marginal σ, have something of the posterior behind them. */
const REACH = 4;
/** A look this close to the point that is wanted, in −2 ln L by the quadratic, will do. */
const SEEN = 0.01;
/**
 * A descent is begun behind a face if the quadratic there promises to end this close to the best: a little, and a share
 * of the height of the starting point, by which the promise may be wrong.
 */
const CLOSE = 0.5;
const CLOSE_SHARE = 0.3;
/** … or if the face is lower than this share of what the quadratic of the minimum's own cell makes it cost. */
const LOWER_SHARE = 0.5;

/** A point on one or two faces of a cell, in the cell behind them. */
interface Across {
  readonly point: Point;
  /** Free coordinates that the faces bound, as positions in space.free, and on which side: +1 above. */
  readonly faces: readonly { readonly a: number; readonly side: number }[];
  /** The minimum lies on the face itself, and a descent has looked behind it. */
  readonly pressed: boolean;
  /** Near enough for the posterior to reach behind it. */
  readonly near: boolean;
  /** −2 ln L above the minimum, by the quadratic. */
  readonly cost: number;
}

/**
 * Points just across the inner faces, where the quadratic model has its lowest, and across edges where two of them meet:
 * those that are near, and the nearest in any case.
 *
 * @param H - curvature of −2 ln L at the minimum, free coordinates
 */
function behindFaces(space: ParameterSpace, { point, evaluation }: Minimum, H: Float64Array): Across[] {
  const { g } = restrict(space, evaluation);
  const m = space.free.length;
  const bounds = space.cellBounds(point.cell);
  const inverse = invertSymmetric(H, m);
  const { lo, hi } = room(space, point.x, bounds.lower, bounds.upper);
  const faces: { a: number; side: number; face: number }[] = [];
  const out: Across[] = [];

  /** The point on some faces, others re-optimised; null where that is no whole cell. */
  const across = (
    some: readonly { a: number; side: number; face: number }[],
  ): { point: Point; cost: number } | null => {
    const cell = point.cell.slice();
    for (const { a, side } of some) cell[space.free[a]! - 2]! += side;
    if (!space.whole(cell)) return null;
    const shifts = some.map(({ a, face }) => face - point.x[space.free[a]!]!);
    const step = stepHolding(H, g, lo, hi, some.map(({ a }) => a), shifts);
    const x = moved(space, point.x, step, lo, hi, bounds.lower, bounds.upper);
    for (const { a, face } of some) x[space.free[a]!] = face;
    return { point: { ...point, x, cell }, cost: -predictedFall(H, g, step) };
  };

  space.free.forEach((i, a) => {
    const nodes = space.nodes[i - 2];
    if (nodes === undefined) return;
    for (const side of [-1, 1]) {
      const low = point.cell[i - 2]!;
      const face = nodes[side < 0 ? low : low + 1];
      if (face === undefined || low + side < 0 || low + side + 1 >= nodes.length) continue;
      const found = across([{ a, side, face }]);
      if (found === null) continue;
      const distance = Math.abs(face - point.x[i]!);
      const near = inverse !== null && distance < REACH * Math.sqrt(2 * inverse[a * m + a]!);
      faces.push({ a, side, face });
      out.push({ ...found, faces: [{ a, side }], pressed: distance === 0, near });
    }
  });
  const edges = faces.flatMap((first, k): Across[] =>
    faces.slice(k + 1).flatMap((second) => {
      const found = first.a === second.a ? null : across([first, second]);
      return found === null ? [] : [{ ...found, faces: [first, second], pressed: false, near: false }];
    })
  ).sort((p, q) => p.cost - q.cost);
  return [...out, ...edges.filter(({ cost }, rank) => rank === 0 || cost < NEAR_EDGE)];
}

/** What there is around a minimum. */
export interface Around {
  /** A lower minimum, or null. */
  readonly lower: Minimum | null;
  /** What lies behind the faces that are near. */
  readonly beyond: readonly Beyond[];
  readonly evaluations: number;
}

/**
 * Evaluates behind the faces of a minimum's cell, and descends there where that promises a lower one.
 *
 * @param H - curvature of −2 ln L at the minimum, free coordinates
 */
export function* lookAround(space: ParameterSpace, minimum: Minimum, H: Float64Array): Asking<Around> {
  const beyond: Beyond[] = [];
  let evaluations = 0;
  let lower: Minimum | null = null;
  for (const across of behindFaces(space, minimum, H)) {
    const { point: there, faces, near } = across;
    const seen = minimum.looks.find((look) =>
      look.point.cell.every((c, d) => c === there.cell[d]) && between(space, H, look.point.x, there.x) < SEEN
    );
    if (seen === undefined) evaluations++;
    const look = seen ?? { point: there, evaluation: yield* evaluate(there) };
    if (!Number.isFinite(look.evaluation.value)) continue;
    if (near) beyond.push({ coordinate: faces[0]!.a, side: faces[0]!.side, ...look });
    if (across.pressed || !promising(space, look, across, minimum.evaluation.value)) continue;
    const best: Minimum = lower ?? minimum;
    const found = yield* descend(space, look.point, best);
    if (found === null) continue;
    evaluations += found.evaluations;
    if (isLower(found, best)) lower = found;
  }
  return { lower, beyond, evaluations };
}

/** Behind some faces there may be a minimum about as low as `least`: what is known of −2 ln L there promises one. */
function promising(
  space: ParameterSpace,
  { point, evaluation }: Look,
  { faces, cost }: Across,
  least: number,
): boolean {
  const height = evaluation.value - least;
  // the way to the face bends down: on it or before it, too, there may be something
  if (cost > CLOSE && height < LOWER_SHARE * cost) return true;
  const { g, H } = restrict(space, evaluation);
  // bounded by the faces just crossed: where the way down leads back over one there is nothing new behind it
  const lower = space.lower.slice(), upper = space.upper.slice();
  for (const { a, side } of faces) {
    const i = space.free[a]!;
    if (side < 0) upper[i] = point.x[i]!;
    else lower[i] = point.x[i]!;
  }
  const { lo, hi } = room(space, point.x, lower, upper);
  const step = boxStep(H, g, lo, hi);
  if (faces.some(({ a }) => step[a] === 0)) return false;
  return height - predictedFall(H, g, step) <= CLOSE + CLOSE_SHARE * Math.max(0, height);
}

/** What lies between two points in the quadratic, ½ΔᵀHΔ over the free coordinates. */
function between(space: ParameterSpace, H: Float64Array, x: Float64Array, y: Float64Array): number {
  const apart = Float64Array.from(space.free, (i) => x[i]! - y[i]!);
  return -predictedFall(H, new Float64Array(apart.length), apart);
}
