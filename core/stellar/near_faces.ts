/** Where else a minimum might be: behind the faces of its cell, and further along the valley it lies in. */
import type { Minimum } from "./optimiser.ts";
import type { ParameterSpace, Point } from "./parameter_space.ts";
import { invertSymmetric, predictedFall } from "./quadratic.ts";
import { moved, restrict, room, stepHolding } from "./steps.ts";

/** Faces that cost less than this in the quadratic model are looked across; two at once where both cost less. */
const NEAR_FACE = 150;
const NEAR_CORNER = 9;

/** Where an error is this share of its cell, near faces are all there is: the posterior spans them anyway. */
const BROAD = 0.3;

/**
 * Middles of the two cells next to the minimum's along the axis whose error is the largest share of its cell, the other
 * coordinates following the quadratic. From a kink, which a descent does not leave, the same along every axis whose
 * cells are too wide for {@link nearFaces} to look across.
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
    const wide = rank === 0 ? share <= BROAD : minimum.reason === "kink" && 0.5 > NEAR_FACE * share * share;
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

/** Points just across the inner faces, and the edges where two meet, that the quadratic model reaches cheaply. */
export function nearFaces(space: ParameterSpace, minimum: Minimum): Point[] {
  const { point, evaluation } = minimum;
  const { g, H } = restrict(space, evaluation);
  const bounds = space.cellBounds(point.cell);
  const faces: { d: number; beyond: number; face: number; cost: number }[] = [];
  const out: Point[] = [];

  /** The point on some faces, others re-optimised; null where that is no whole cell. */
  const across = (
    some: readonly { d: number; beyond: number; face: number }[],
  ): { point: Point; cost: number } | null => {
    const cell = point.cell.slice();
    for (const { d, beyond } of some) cell[d] = beyond;
    if (!space.whole(cell)) return null;
    const { lo, hi } = room(space, point.x, bounds.lower, bounds.upper);
    const held = some.map(({ d }) => space.free.indexOf(2 + d));
    const shifts = some.map(({ d, face }) => face - point.x[2 + d]!);
    const step = stepHolding(H, g, lo, hi, held, shifts);
    const x = moved(space, point.x, step, lo, hi, bounds.lower, bounds.upper);
    for (const { d, face } of some) x[2 + d] = face;
    return { point: { ...point, x, cell }, cost: -predictedFall(H, g, step) };
  };

  space.nodes.forEach((nodes, d) => {
    if (!space.free.includes(2 + d)) return;
    for (const side of [0, 1]) {
      const face = nodes[point.cell[d]! + side];
      const beyond = point.cell[d]! + (side === 0 ? -1 : 1);
      if (face === undefined || beyond < 0 || beyond + 1 >= nodes.length) continue;
      const found = across([{ d, beyond, face }]);
      if (found === null || !(found.cost < NEAR_FACE)) continue;
      faces.push({ d, beyond, face, cost: found.cost });
      // on the face itself the descent has looked already, but not behind it and another
      if (face !== point.x[2 + d]) out.push(found.point);
    }
  });
  for (const [k, first] of faces.entries()) {
    for (const second of faces.slice(k + 1)) {
      if (first.d === second.d || first.cost > NEAR_CORNER || second.cost > NEAR_CORNER) continue;
      const found = across([first, second]);
      if (found !== null && found.cost < NEAR_CORNER) out.push(found.point);
    }
  }
  return out;
}
