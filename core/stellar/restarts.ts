/** Where a descent is begun again, because −2 ln L may have another minimum there that a descent does not lead to. */
import type { Minimum } from "./optimiser.ts";
import type { ParameterSpace, Point } from "./parameter_space.ts";
import { invertSymmetric } from "./quadratic.ts";
import { moved, restrict, room, stepHolding } from "./steps.ts";

/** Where an error is this share of its cell, two minima in it would be one. */
const BROAD = 0.3;

/** A free coordinate that has cells. */
interface Axis {
  /** Position in space.free. */
  readonly a: number;
  /** Coordinate of the space. */
  readonly i: number;
  readonly nodes: Float64Array;
  /** Error in units of the minimum's cell. */
  readonly share: number;
}

/**
 * The other end of the minimum's own cell, along the axis whose error is the largest share of its cell: cool dwarfs have
 * two minima in one cell, half of it apart, and a star of unknown [α/Fe] one at either end. From a kink, which a descent
 * does not leave, also the middles of the cells next to it.
 */
export function restarts(space: ParameterSpace, minimum: Minimum): Point[] {
  const { point, evaluation } = minimum;
  const { g, H } = restrict(space, evaluation);
  const m = space.free.length;
  const inverse = invertSymmetric(H, m);
  if (inverse === null) return [];
  const axes = space.free.flatMap((i, a): Axis[] => {
    const nodes = space.nodes[i - 2];
    if (nodes === undefined || nodes.length < 2) return [];
    const low = point.cell[i - 2]!;
    return [{ a, i, nodes, share: Math.sqrt(inverse[a * m + a]!) / (nodes[low + 1]! - nodes[low]!) }];
  }).sort((p, q) => q.share - p.share);

  /** The minimum moved along one axis, the other coordinates following the quadratic as far as the bounds let them. */
  const along = ({ a, i }: Axis, to: number, lower: Float64Array, upper: Float64Array): Float64Array => {
    const { lo, hi } = room(space, point.x, lower, upper);
    const step = stepHolding(H, g, lo, hi, [a], [to - point.x[i]!]);
    const x = moved(space, point.x, step, lo, hi, lower, upper);
    x[i] = to;
    return x;
  };
  const otherEnd = (axis: Axis): Point => {
    const low = axis.nodes[point.cell[axis.i - 2]!]!, high = axis.nodes[point.cell[axis.i - 2]! + 1]!;
    const share = point.x[axis.i]! - low < 0.5 * (high - low) ? 0.75 : 0.25;
    const { lower, upper } = space.cellBounds(point.cell);
    return { ...point, x: along(axis, low + share * (high - low), lower, upper) };
  };
  const nextCells = (axis: Axis): Point[] =>
    [-1, 1].flatMap((side) => {
      const low = axis.nodes[point.cell[axis.i - 2]! + side],
        high = axis.nodes[point.cell[axis.i - 2]! + side + 1];
      if (low === undefined || high === undefined) return [];
      const x = along(axis, 0.5 * (low + high), space.lower, space.upper);
      const cell = space.cellOf(x);
      return space.whole(cell) ? [{ ...point, x, cell }] : [];
    });

  const [broadest] = axes;
  const out = broadest !== undefined && broadest.share <= BROAD ? [otherEnd(broadest)] : [];
  return minimum.reason === "kink" ? [...out, ...axes.flatMap(nextCells)] : out;
}
