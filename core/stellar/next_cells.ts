/** Where else along the valley that a minimum lies in there might be another. */
import type { Minimum } from "./optimiser.ts";
import type { ParameterSpace, Point } from "./parameter_space.ts";
import { invertSymmetric } from "./quadratic.ts";
import { moved, restrict, room, stepHolding } from "./steps.ts";

/** Where an error is this share of its cell, near faces are all there is: the posterior spans them anyway. */
const BROAD = 0.3;
/**
 * Faces that cost less than this to reach, in −2 ln L by the quadratic, are looked across. The quadratic ends at the face:
 * behind one that costs between 16 and 25, off a smooth minimum, another 15 lower has been seen.
 */
export const FAR_FACE = 150;

/**
 * Middles of the two cells next to the minimum's along the axis whose error is the largest share of its cell, the other
 * coordinates following the quadratic. From a kink, which a descent does not leave, the same along every axis whose
 * cells are too wide to look across their faces.
 */
export function nextCells(space: ParameterSpace, minimum: Minimum): Point[] {
  const { point, evaluation } = minimum;
  const { g, H } = restrict(space, evaluation);
  const m = space.free.length;
  const inverse = invertSymmetric(H, m);
  if (inverse === null) return [];
  const axes = space.free.flatMap((i, a) => {
    const nodes = space.nodes[i - 2];
    if (nodes === undefined || nodes.length < 3) return [];
    const low = point.cell[i - 2]!;
    return [{ a, i, nodes, share: Math.sqrt(inverse[a * m + a]!) / (nodes[low + 1]! - nodes[low]!) }];
  }).sort((p, q) => q.share - p.share);
  const { lo, hi } = room(space, point.x, space.lower, space.upper);
  return axes.flatMap(({ a, i, nodes, share }, rank) => {
    // a cell's width costs ½/share² in the quadratic
    const wide = rank === 0 ? share <= BROAD : minimum.reason === "kink" && 0.5 > FAR_FACE * share * share;
    if (!wide) return [];
    return [-1, 1].flatMap((side) => {
      const low = point.cell[i - 2]! + side;
      if (low < 0 || low + 1 >= nodes.length) return [];
      const middle = 0.5 * (nodes[low]! + nodes[low + 1]!);
      const step = stepHolding(H, g, lo, hi, [a], [middle - point.x[i]!]);
      const x = moved(space, point.x, step, lo, hi, space.lower, space.upper);
      x[i] = middle;
      const cell = space.cellOf(x);
      return space.whole(cell) ? [{ ...point, x, cell }] : [];
    });
  });
}
