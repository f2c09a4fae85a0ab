/**
 * The regular grid of a library, on the host: cells, corners, holes and the nearest node. Coordinates are *mapped*:
 * log10 of the parameter on axes that say so.
 */
import type { Axis, TemplateLibrary } from "./library.ts";

/** What the functions here need of a library. */
export type Grid = Pick<TemplateLibrary, "axes" | "params" | "idgrid">;

/** Coordinate of a parameter value on its axis. @param value - physical units */
export function mapped(axis: Axis, value: number): number {
  return axis.log10 ? Math.log10(value) : value;
}

/** Parameter value at a coordinate: the inverse of {@link mapped}. */
export function unmapped(axis: Axis, u: number): number {
  return axis.log10 ? 10 ** u : u;
}

const nodesOfAxis = new WeakMap<Axis, Float64Array>();

/** Node coordinates of an axis, increasing. */
export function mappedNodes(axis: Axis): Float64Array {
  let nodes = nodesOfAxis.get(axis);
  if (nodes === undefined) {
    nodes = axis.log10 ? Float64Array.from(axis.values, (x) => mapped(axis, x)) : axis.values;
    nodesOfAxis.set(axis, nodes);
  }
  return nodes;
}

/** Coordinates of a parameter vector. */
export function mappedPoint(axes: readonly Axis[], values: ArrayLike<number>): Float64Array {
  return Float64Array.from(axes, (axis, d) => mapped(axis, values[d]));
}

/**
 * Index of the lower node of the cell that holds a point, per axis. Cells are closed below and open above, except that
 * the last one includes its upper edge. −1 below the grid, n−1 above it, −1 for NaN. An axis of one node has the single
 * cell 0, at that node only.
 */
export function cellOf(grid: Pick<Grid, "axes">, u: ArrayLike<number>): Int32Array {
  return Int32Array.from(grid.axes, (axis, d) => {
    const nodes = mappedNodes(axis), n = nodes.length, x = u[d];
    if (!(x >= nodes[0])) return -1;
    if (x > nodes[n - 1]) return Math.max(n - 1, 1);
    let low = 0, high = Math.max(n - 1, 1);
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (nodes[middle] <= x) low = middle;
      else high = middle;
    }
    return low;
  });
}

/** Whether a cell, as from {@link cellOf}, is in the grid on every axis. */
export function cellIsInside(grid: Pick<Grid, "axes">, cell: ArrayLike<number>): boolean {
  return grid.axes.every((axis, d) => cell[d] >= 0 && cell[d] < Math.max(axis.values.length - 1, 1));
}

/** Position in the cell per axis: 0 at its lower node, 1 at its upper one. */
export function cellFractions(
  grid: Pick<Grid, "axes">,
  cell: ArrayLike<number>,
  u: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(grid.axes, (axis, d) => {
    const nodes = mappedNodes(axis), i = cell[d];
    return nodes.length === 1 ? 0 : (u[d] - nodes[i]) / (nodes[i + 1] - nodes[i]);
  });
}

/**
 * Templates at the corners of a cell. Corner c takes the upper node of axis d where bit d of c is set, the lower one
 * where it is not: bit 0 is the FIRST axis. −1 = hole. On an axis of one node both are that node.
 *
 * @param cell - lower nodes, inside the grid
 * @returns shape (2^axes)
 */
export function cornerIds(grid: Pick<Grid, "axes" | "idgrid">, cell: ArrayLike<number>): Int32Array {
  const { axes, idgrid } = grid;
  return Int32Array.from({ length: 1 << axes.length }, (_, corner) => {
    let at = 0;
    axes.forEach((axis, d) => {
      const n = axis.values.length;
      at = at * n + Math.min(cell[d] + ((corner >> d) & 1), n - 1);
    });
    return idgrid[at];
  });
}

/** Whether any corner is missing. */
export function hasHole(corners: ArrayLike<number>): boolean {
  return Array.prototype.some.call(corners, (id: number) => id < 0);
}

/** Weights of the corners of a cell, in the order of {@link cornerIds}; they sum to 1. */
export function cornerWeights(fractions: ArrayLike<number>): Float64Array {
  const n = fractions.length;
  return Float64Array.from({ length: 1 << n }, (_, corner) => {
    let weight = 1;
    for (let d = 0; d < n; d++) weight *= (corner >> d) & 1 ? fractions[d] : 1 - fractions[d];
    return weight;
  });
}

/** Span of the templates' coordinates per axis; 1 where they do not differ. */
export function gridSpan(grid: Pick<Grid, "axes" | "params">): Float64Array {
  const n = grid.axes.length, templates = grid.params.length / n;
  return Float64Array.from(grid.axes, (axis, d) => {
    let low = Infinity, high = -Infinity;
    for (let t = 0; t < templates; t++) {
      const x = mapped(axis, grid.params[t * n + d]);
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    return high > low ? high - low : 1;
  });
}

/**
 * Template nearest to a point in coordinates divided by the span of each axis; the first of equals. NaN gives template
 * 0 at distance NaN.
 */
export function nearestTemplate(
  grid: Pick<Grid, "axes" | "params">,
  u: ArrayLike<number>,
): { readonly id: number; readonly distance: number } {
  const n = grid.axes.length, templates = grid.params.length / n;
  const span = gridSpan(grid);
  let id = 0, best = Infinity;
  for (let t = 0; t < templates; t++) {
    let square = 0;
    for (let d = 0; d < n; d++) {
      square += ((mapped(grid.axes[d], grid.params[t * n + d]) - u[d]) / span[d]) ** 2;
    }
    if (square < best) [id, best] = [t, square];
    else if (Number.isNaN(square)) return { id: 0, distance: NaN };
  }
  return { id, distance: Math.sqrt(best) };
}

/**
 * The reference's measure of how far outside the grid a point lies: 0 in a whole cell, else the scaled distance to the
 * nearest template. The reference counts the upper edge of the grid as outside; so does `upperEdge: "outside"`, for
 * comparison with it.
 */
export function outsideMeasure(
  grid: Grid,
  u: ArrayLike<number>,
  upperEdge: "inside" | "outside" = "inside",
): number {
  const cell = cellOf(grid, u);
  const onEdge = upperEdge === "outside" &&
    grid.axes.some((axis, d) => u[d] === mappedNodes(axis).at(-1));
  if (!onEdge && cellIsInside(grid, cell) && !hasHole(cornerIds(grid, cell))) return 0;
  return nearestTemplate(grid, u).distance;
}

/** Parameters of all nodes, C order over the axes, last axis fast; shape (nodes, axes). */
export function gridParams(axes: readonly Axis[]): Float64Array {
  let rows: number[][] = [[]];
  for (const axis of axes) rows = rows.flatMap((row) => Array.from(axis.values, (x) => [...row, x]));
  return Float64Array.from(rows.flat());
}

/**
 * Template at every node: −1 where no template has the node's parameters. Where two have, the first counts.
 *
 * @param params - shape (templates, axes), values exactly those of the axes
 */
export function gridIds(axes: readonly Axis[], params: Float64Array): Int32Array {
  if (axes.length === 0) return new Int32Array(0);
  const ids = new Int32Array(axes.reduce((size, axis) => size * axis.values.length, 1)).fill(-1);
  const index = axes.map((axis) => new Map(Array.from(axis.values, (x, i) => [x, i])));
  for (let t = 0; t < params.length / axes.length; t++) {
    let at = 0;
    axes.forEach((axis, d) => {
      const i = index[d].get(params[t * axes.length + d]);
      if (i === undefined) {
        throw new RangeError(`template ${t}: ${axis.name} ${params[t * axes.length + d]} is no node`);
      }
      at = at * axis.values.length + i;
    });
    if (ids[at] === -1) ids[at] = t;
  }
  return ids;
}

/** Axes through all values that occur: teff in log10, the others linear. @param params - shape (templates, names) */
export function axesOfParams(names: readonly string[], params: Float64Array): Axis[] {
  const n = names.length;
  return names.map((name, d) => {
    const values = new Set<number>();
    for (let t = 0; t < params.length / n; t++) values.add(params[t * n + d]);
    return {
      name,
      unit: name === "teff" ? "K" : "dex",
      log10: name === "teff",
      values: Float64Array.from(values).sort(),
    };
  });
}
