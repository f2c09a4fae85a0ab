/**
 * The space that a star is fitted in: (velocity, vsini, u_0 … u_{P−1}), u_d the library's parameters as they are
 * interpolated (log10 of teff, the others as they are), cut into the cells of the library's grid.
 */
import { cornerIds, mapped, mappedNodes, unmapped } from "../templates/grid.ts";
import type { Axis } from "../templates/library.ts";
import type { FitOptions } from "./options.ts";

/** One trial point: the cell says which polynomial is meant, so a point on a face can be looked at from both sides. */
export interface Point {
  /** (velocity km/s, vsini km/s, u…). */
  readonly x: Float64Array;
  /** Lower node of the cell per axis. */
  readonly cell: Int32Array;
  /** Template, where the library is not interpolated; −1 otherwise. */
  readonly template: number;
}

/** The likelihood at a point; derivatives in the same coordinates. Prior terms included. */
export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
  /** Gauss-Newton matrix, row-major. */
  readonly curvature: Float64Array;
}

/** Room left above the top node, relative: the reference counts the exact upper edge as outside. */
const TOP = 1e-12;

export class ParameterSpace {
  readonly axes: readonly Axis[];
  /** Interpolated axes: all of them, or none when only templates are compared. */
  readonly dimension: number;
  /** Mapped node values per axis. */
  readonly nodes: readonly Float64Array[];
  /** Coordinates that move, as indices into x. */
  readonly free: readonly number[];
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Values of the coordinates that do not, NaN where free. */
  readonly fixed: Float64Array;
  readonly #idgrid: Int32Array;
  readonly #options: FitOptions;

  /** Names of the coordinates of x: `vrad`, `vsini`, then the axes. */
  readonly names: readonly string[];

  constructor(axes: readonly Axis[], idgrid: Int32Array, options: FitOptions) {
    this.axes = options.rvOnly ? [] : axes;
    this.#idgrid = idgrid;
    this.#options = options;
    this.dimension = this.axes.length;
    this.names = ["vrad", "vsini", ...this.axes.map((a) => a.name)];
    this.nodes = this.axes.map(mappedNodes);
    this.lower = Float64Array.of(-options.maxVel, 0, ...this.nodes.map((n) => n[0]!));
    this.upper = Float64Array.of(
      options.maxVel,
      options.maxVsini,
      ...this.nodes.map((n) => n[n.length - 1]!),
    );
    this.fixed = new Float64Array(this.names.length).fill(NaN);
    this.names.forEach((name, i) => {
      const value = options.fix[name];
      if (value !== undefined) this.fixed[i] = this.mapped(i, value);
    });
    this.free = this.names.map((_, i) => i).filter((i) =>
      Number.isNaN(this.fixed[i]) && this.upper[i]! > this.lower[i]!
    );
  }

  /** Coordinate of a physical value. */
  mapped(i: number, value: number): number {
    const axis = this.axes[i - 2];
    return axis === undefined ? value : mapped(axis, value);
  }

  /** Physical value of a coordinate, kept inside the library by the reference's rule (top edge excluded). */
  physical(i: number, u: number): number {
    const axis = this.axes[i - 2];
    if (axis === undefined) return u;
    const nodes = this.nodes[i - 2]!;
    // a node is itself: 10^log10(8000) is not 8000
    const node = nodes.indexOf(u);
    const value = node >= 0 ? axis.values[node]! : unmapped(axis, u);
    const first = axis.values[0]!;
    const last = axis.values[axis.values.length - 1]!;
    const top = last - TOP * (Math.abs(last) || last - first);
    return first === last ? first : Math.min(top, Math.max(first, value));
  }

  /** d(physical)/du at u. */
  scale(i: number, u: number): number {
    const axis = this.axes[i - 2];
    return axis?.log10 ? Math.LN10 * 10 ** u : 1;
  }

  /** Cell of a point, a face belonging to the cell above it except at the top; `keep` wins where x lies on its face. */
  cellOf(x: Float64Array, keep?: Int32Array): Int32Array {
    return Int32Array.from(this.nodes, (nodes, d) => {
      const u = x[2 + d]!;
      const last = Math.max(0, nodes.length - 2);
      if (
        keep !== undefined && u >= nodes[keep[d]!]! && u <= nodes[Math.min(keep[d]! + 1, nodes.length - 1)]!
      ) {
        return keep[d]!;
      }
      let cell = 0;
      while (cell < last && u >= nodes[cell + 1]!) cell++;
      return cell;
    });
  }

  /** Bounds of a cell in the coordinates of x. */
  cellBounds(cell: Int32Array): { lower: Float64Array; upper: Float64Array } {
    const lower = this.lower.slice();
    const upper = this.upper.slice();
    this.nodes.forEach((nodes, d) => {
      lower[2 + d] = nodes[cell[d]!]!;
      upper[2 + d] = nodes[Math.min(cell[d]! + 1, nodes.length - 1)]!;
    });
    return { lower, upper };
  }

  /** Templates at the 2^P corners; bit d of a corner's number set = upper node on axis d. −1 = hole. */
  corners(cell: Int32Array): Int32Array {
    return cornerIds({ axes: this.axes, idgrid: this.#idgrid }, cell);
  }

  /** All corners of the cell exist. */
  whole(cell: Int32Array): boolean {
    return this.corners(cell).every((id) => id >= 0);
  }

  /** Fraction within the cell per axis, and dt/du. */
  fractions(point: Point): { t: Float64Array; dt: Float64Array } {
    const t = new Float64Array(this.dimension);
    const dt = new Float64Array(this.dimension);
    this.nodes.forEach((nodes, d) => {
      const low = nodes[point.cell[d]!]!;
      const high = nodes[Math.min(point.cell[d]! + 1, nodes.length - 1)]!;
      if (high > low) {
        dt[d] = 1 / (high - low);
        t[d] = (point.x[2 + d]! - low) * dt[d]!;
      }
    });
    return { t, dt };
  }

  /** Priors Σ((p−mean)/σ)² added to a likelihood given without them. */
  addPriors(x: Float64Array, value: number, gradient: Float64Array, curvature: Float64Array): number {
    const n = this.names.length;
    for (let i = 0; i < n; i++) {
      const prior = this.#options.priors[this.names[i]!];
      if (prior === undefined) continue;
      const axis = this.axes[i - 2];
      const physical = axis?.log10 ? 10 ** x[i]! : x[i]!;
      const pull = (physical - prior.mean) / prior.sigma;
      const slope = this.scale(i, x[i]!) / prior.sigma;
      value += pull * pull;
      gradient[i]! += 2 * pull * slope;
      curvature[i * n + i]! += 2 * slope * slope;
    }
    return value;
  }

  /** What the priors contribute at x. */
  priorValue(x: Float64Array): number {
    const n = this.names.length;
    return this.addPriors(x, 0, new Float64Array(n), new Float64Array(n * n));
  }
}
