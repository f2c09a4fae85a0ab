/**
 * Where the optimiser starts: cross-correlation of every star with a few dozen templates at all velocities at once.
 *
 * Templates and data are divided by their own continua, less 1; on one ln λ grid χ²(v) = −2 corr(t, d·w) + corr(t², w)
 * for all arms together. What comes back per star is the lowest χ² at each lag and which template had it.
 */
import { LIGHT } from "../doppler.ts";
import { ccfScan, ccfSpread } from "../kernels/ccf.ts";
import { chisq } from "../kernels/chisq.ts";
import { fourierTwiddles, rfft } from "../kernels/fourier.ts";
import { interpolate } from "../kernels/interpolate.ts";
import { rotate, rotationWeights } from "../kernels/rotation.ts";
import { type DeviceArray, place, type Target } from "../target.ts";
import type { ArmContext } from "./arm_context.ts";
import type { FitJob } from "./batch.ts";
import { type CommonGrid, commonGrid, lagVelocity } from "./common_grid.ts";
import { continuumBasis } from "./continuum.ts";
import type { StarEntries } from "./lockstep.ts";
import type { ParameterSpace, Point } from "./parameter_space.ts";

/** Rotations that templates are tried with, km/s. */
const ROTATIONS = [0, 100, 300];
/** Rotation to start the optimiser with at least, km/s: the derivative at 0 says little of a fast rotator. */
const LEAST_START = 20;
/** Templates of a grid that are tried: so many values of the first axis (teff) and of metallicity. */
const FIRST_AXIS = 8;
const METALLICITIES = 3;
/** Of so many knots of a template one counts for its continuum. */
const CONTINUUM_STEP = 4;
/** Minima within this of the lowest χ² are started from too, and make the posterior look everywhere. */
const RIVAL = 25;
const MOST_STARTS = 3;
/** Unlabelled templates that are fitted after the scan. */
const MOST_TEMPLATES = 5;

export interface Start {
  readonly points: readonly Point[];
  /** Velocity of the lowest χ², km/s. */
  readonly velocity: number;
  readonly rivals: boolean;
}

export class CrossCorrelation {
  readonly #target: Target;
  readonly #job: FitJob;
  readonly #space: ParameterSpace;
  readonly #arms: readonly ArmContext[];
  readonly #grid: CommonGrid;
  readonly #templates: readonly number[];
  readonly #rotations: readonly number[];
  readonly #twiddles: DeviceArray;
  readonly #tm: DeviceArray;
  readonly #tm2: DeviceArray;
  readonly #spread: readonly { index: DeviceArray; fraction: DeviceArray }[];

  constructor(target: Target, job: FitJob, space: ParameterSpace, arms: readonly ArmContext[]) {
    this.#target = target;
    this.#job = job;
    this.#space = space;
    this.#arms = arms;
    this.#grid = commonGrid(job.arms, job.options.maxVel);
    this.#templates = chosenTemplates(job, space);
    const fixedVsini = job.options.fix.vsini;
    this.#rotations = fixedVsini !== undefined
      ? [fixedVsini]
      : ROTATIONS.filter((v) => v <= job.options.maxVsini).slice(
        0,
        this.#templates.length > 100 ? 1 : undefined,
      );
    const { N } = this.#grid;
    this.#twiddles = target.allocate("f64", 2 * (3 * N / 4));
    target.run(fourierTwiddles, { N }, { twiddles: this.#twiddles });
    const T = this.#templates.length * this.#rotations.length;
    this.#tm = target.allocate("f64", T * (N + 2));
    this.#tm2 = target.allocate("f64", T * (N + 2));
    this.#spread = job.arms.map(({ lam }) => {
      const position = Float64Array.from(lam, (x) => (Math.log(x) - this.#grid.origin) / this.#grid.step);
      return {
        index: place(target, Int32Array.from(position, Math.floor)),
        fraction: place(target, Float64Array.from(position, (p) => p - Math.floor(p))),
      };
    });
    const mark = target.mark();
    const series = place(target, this.#templateSeries());
    target.run(rfft, { B: T, N }, { twiddles: this.#twiddles, x: series, out: this.#tm });
    const squared = (target.download(series) as Float64Array).map((x) => x * x);
    target.upload(series, squared);
    target.run(rfft, { B: T, N }, { twiddles: this.#twiddles, x: series, out: this.#tm2 });
    target.release(mark);
  }

  /** Rotated, normalised templates on the common grid, shape (T, N): template-major, rotation fast. */
  #templateSeries(): Float64Array {
    const target = this.#target;
    const { N, origin, step, parts } = this.#grid;
    const n = this.#templates.length;
    const S = this.#rotations.length;
    const out = new Float64Array(n * S * N);
    this.#job.arms.forEach((arm, a) => {
      const mark = target.mark();
      const { prepared } = arm;
      const { NL, T, K } = this.#arms[a]!.dims;
      const E = n * S;
      // row e is template ⌊e/S⌋, rotation e mod S
      const flux = target.allocate("f64", E * NL);
      target.run(interpolate, { E, T, N: NL, D: 0, C: 1 }, {
        templates: this.#arms[a]!.resident.templates!,
        corners: place(
          target,
          Int32Array.from({ length: E }, (_, e) => this.#templates[Math.floor(e / S)]!),
        ),
        t: target.allocate("f64", 0),
        out: flux,
      });
      const R = Float64Array.from({ length: E }, (_, e) => this.#rotations[e % S]! / LIGHT / prepared.dlnlam);
      const H = Math.ceil(Math.max(...R) + 1) + 1;
      const w = target.allocate("f64", E * (H + 1));
      target.run(rotationWeights, { B: E, H }, {
        R: place(target, R),
        eps: place(target, new Float64Array(E).fill(0.6)),
        w,
        dw: target.allocate("f64", E * (H + 1)),
      });
      const rotated = target.allocate("f64", E * NL);
      target.run(rotate, { B: E, N: NL, H }, { y: flux, w, out: rotated });
      const value = target.download(rotated) as Float64Array;
      // the continuum is so smooth that every few knots tell all of it
      const n4 = Math.ceil(NL / CONTINUUM_STEP);
      const thinned = new Float64Array(E * n4);
      for (let e = 0; e < E; e++) {
        for (let i = 0; i < n4; i++) thinned[e * n4 + i] = value[e * NL + i * CONTINUUM_STEP]!;
      }
      const level = this.#continuumOf(thinned, E, K, prepared.lam0, CONTINUUM_STEP * prepared.dlnlam);

      const first = Math.log(prepared.lam0);
      const [from, to] = parts[a]!;
      const j0 = Math.max(0, Math.ceil((from - origin) / step));
      const count = Math.max(0, Math.min(N, Math.ceil((to - origin) / step)) - j0);
      const position = Float64Array.from(
        { length: count },
        (_, i) => (origin + (j0 + i) * step - first) / prepared.dlnlam,
      );
      for (let e = 0; e < E; e++) {
        const line = value.subarray(e * NL, (e + 1) * NL);
        const below = level.subarray(e * n4, (e + 1) * n4);
        const series = out.subarray(e * N + j0, e * N + j0 + count);
        for (let i = 0; i < count; i++) {
          const at = position[i]!, at4 = at / CONTINUUM_STEP;
          const k = Math.floor(at), k4 = Math.floor(at4);
          if (k < 0 || k + 1 >= NL || k4 + 1 >= n4) continue;
          const f = at - k, f4 = at4 - k4;
          const flux = (1 - f) * line[k]! + f * line[k + 1]!;
          series[i] = flux / ((1 - f4) * below[k4]! + f4 * below[k4 + 1]!) - 1;
        }
      }
      target.release(mark);
    });
    return out;
  }

  /** Continua of E spectra `flux`, shape (E, n), on wavelengths from lam0 (Å) in steps of dlnlam. */
  #continuumOf(flux: Float64Array, E: number, K: number, lam0: number, dlnlam: number): Float64Array {
    const target = this.#target;
    const n = flux.length / E;
    const lam = Float64Array.from({ length: n }, (_, i) => lam0 * Math.exp(i * dlnlam));
    const ones = place(target, new Float64Array(E * n).fill(1));
    const model = target.allocate("f64", E * n);
    target.run(chisq, { E, NP: n, K }, {
      basis: place(target, continuumBasis(lam, K, this.#job.options.continuum)),
      y: place(target, flux),
      s: ones,
      m: ones,
      good: target.allocate("u8", E * n),
      value: target.allocate("f64", E),
      coeff: target.allocate("f64", E * K),
      logdet: target.allocate("f64", E),
      chi2: target.allocate("f64", E),
      chi2good: target.allocate("f64", E),
      model,
    });
    return target.download(model) as Float64Array;
  }

  /** Starts for every star of the batch that is loaded in the arms; null where it has no spectrum. */
  starts(entries: readonly StarEntries[], continuum: readonly DeviceArray[]): (Start | null)[] {
    const target = this.#target;
    const mark = target.mark();
    const { N, L, pixels } = this.#grid;
    const S = entries.length;
    const T = this.#templates.length * this.#rotations.length;
    const dw = place(target, new Float64Array(S * N));
    const w = place(target, new Float64Array(S * N));
    this.#arms.forEach((arm, a) => {
      const star = new Int32Array(arm.entries);
      entries.forEach((lists, s) => lists[a]!.forEach((entry) => star[entry] = s));
      const [FIRST, LAST] = pixels[a]!;
      target.run(ccfSpread, { B: arm.entries, S, P: arm.npix, G: N, FIRST, LAST }, {
        y: arm.batch.y!,
        s: arm.batch.s!,
        continuum: continuum[a]!,
        index: this.#spread[a]!.index,
        fraction: this.#spread[a]!.fraction,
        star: place(target, star),
        dw,
        w,
      });
    });
    const fd = target.allocate("f64", S * (N + 2));
    const fw = target.allocate("f64", S * (N + 2));
    target.run(rfft, { B: S, N }, { twiddles: this.#twiddles, x: dw, out: fd });
    target.run(rfft, { B: S, N }, { twiddles: this.#twiddles, x: w, out: fw });
    const outputs = {
      envelope: target.allocate("f64", S * (2 * L + 1)),
      envelope_template: target.allocate("i32", S * (2 * L + 1)),
      lowest: target.allocate("f64", S * T),
      lowest_lag: target.allocate("i32", S * T),
    };
    target.run(ccfScan, { B: S, T, N, L }, {
      twiddles: this.#twiddles,
      tm: this.#tm,
      tm2: this.#tm2,
      fd,
      fw,
      ...outputs,
    });
    const envelope = target.download(outputs.envelope) as Float64Array;
    const envelopeTemplate = target.download(outputs.envelope_template) as Int32Array;
    const lowest = target.download(outputs.lowest) as Float64Array;
    const lowestLag = target.download(outputs.lowest_lag) as Int32Array;
    target.release(mark);
    return entries.map((lists, s) => {
      if (lists.every((list) => list.length === 0)) return null;
      const span = 2 * L + 1;
      const curve = envelope.subarray(s * span, (s + 1) * span);
      const which = envelopeTemplate.subarray(s * span, (s + 1) * span);
      return this.#space.dimension > 0 ? this.#gridStart(curve, which) : this.#templateStart(
        curve,
        lowest.subarray(s * T, (s + 1) * T),
        lowestLag.subarray(s * T, (s + 1) * T),
      );
    });
  }

  /** Local minima of the envelope, lowest first: [χ², velocity, lag index]. */
  #minima(curve: Float64Array): [number, number, number][] {
    const { L } = this.#grid;
    const { maxVel } = this.#job.options;
    const out: [number, number, number][] = [];
    for (let k = 0; k < curve.length; k++) {
      const here = curve[k]!;
      if (!(here <= (curve[k - 1] ?? Infinity)) || !(here < (curve[k + 1] ?? Infinity))) continue;
      let lag = k - L;
      const before = curve[k - 1], after = curve[k + 1];
      if (before !== undefined && after !== undefined) {
        const bend = before - 2 * here + after;
        if (bend > 0) lag += 0.5 * (before - after) / bend;
      }
      const velocity = Math.max(-maxVel, Math.min(maxVel, lagVelocity(this.#grid, lag)));
      out.push([here, velocity, k]);
    }
    // a flat curve (no usable pixel) has no minimum
    if (out.length === 0) out.push([0, 0, L]);
    return out.sort((p, q) => p[0] - q[0]);
  }

  #gridStart(curve: Float64Array, which: Int32Array): Start {
    const minima = this.#minima(curve);
    const near = minima.filter(([value]) => value < minima[0]![0] + RIVAL);
    const points = near.slice(0, MOST_STARTS).map(([, velocity, k]) => this.#point(which[k]!, velocity));
    return { points, velocity: minima[0]![1], rivals: near.length > 1 };
  }

  #templateStart(curve: Float64Array, lowest: Float64Array, lags: Int32Array): Start {
    const minima = this.#minima(curve);
    const order = Array.from(lowest.keys()).sort((p, q) => lowest[p]! - lowest[q]!);
    const points: Point[] = [];
    for (const t of order) {
      if (points.length >= MOST_TEMPLATES) break;
      const template = this.#templates[Math.floor(t / this.#rotations.length)]!;
      if (points.some((p) => p.template === template)) continue;
      points.push(this.#point(t, lagVelocity(this.#grid, lags[t]!)));
    }
    const near = minima.filter(([value]) => value < minima[0]![0] + RIVAL);
    return { points, velocity: minima[0]![1], rivals: near.length > 1 };
  }

  /** Starting point at scanned template t (template-major, rotation fast). */
  #point(t: number, velocity: number): Point {
    const space = this.#space;
    const S = this.#rotations.length;
    const template = this.#templates[Math.floor(t / S)]!;
    const x = new Float64Array(space.names.length);
    x[0] = velocity;
    x[1] = Math.min(Math.max(this.#rotations[t % S]!, LEAST_START), this.#job.options.maxVsini);
    const { axes, params } = this.#job.library;
    for (let d = 0; d < space.dimension; d++) {
      const nodes = space.nodes[d]!;
      const u = space.mapped(2 + d, params[template * axes.length + d]!);
      // from a corner of the box every direction but one leads out: begin inside
      const inside = nodes.length > 1 && u === nodes[0] ? 0.5 * (nodes[0]! + nodes[1]!) : u;
      x[2 + d] = nodes.length > 1 && u === nodes[nodes.length - 1]
        ? 0.5 * (nodes[nodes.length - 1]! + nodes[nodes.length - 2]!)
        : inside;
    }
    space.fixed.forEach((value, i) => {
      if (!Number.isNaN(value)) x[i] = value;
    });
    for (let i = 0; i < x.length; i++) {
      if (Number.isNaN(space.fixed[i])) x[i] = Math.min(space.upper[i]!, Math.max(space.lower[i]!, x[i]!));
    }
    const cell = space.cellOf(x);
    if (space.dimension > 0 && !space.whole(cell)) moveToWholeCell(space, x, cell);
    return { x, cell, template: space.dimension > 0 ? -1 : template };
  }
}

/** The nearest cell without holes, and x moved to its middle. */
function moveToWholeCell(space: ParameterSpace, x: Float64Array, cell: Int32Array): void {
  const shape = space.nodes.map((n) => Math.max(1, n.length - 1));
  let best: Int32Array | null = null, least = Infinity;
  const total = shape.reduce((a, b) => a * b, 1);
  for (let k = 0; k < total; k++) {
    const candidate = new Int32Array(shape.length);
    for (let d = shape.length - 1, rest = k; d >= 0; d--) {
      candidate[d] = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
    const distance = candidate.reduce((sum, c, d) => sum + (c - cell[d]!) ** 2, 0);
    if (distance < least && space.whole(candidate)) {
      least = distance;
      best = candidate;
    }
  }
  if (best === null) return;
  cell.set(best);
  const { lower, upper } = space.cellBounds(cell);
  for (let d = 0; d < shape.length; d++) {
    if (Number.isNaN(space.fixed[2 + d])) x[2 + d] = 0.5 * (lower[2 + d]! + upper[2 + d]!);
  }
}

/** A spread of templates: all unlabelled ones, or of a grid a few temperatures and metallicities at mid gravity. */
function chosenTemplates(job: FitJob, space: ParameterSpace): number[] {
  const { axes, idgrid, templates } = job.library;
  if (space.dimension === 0 && axes.length === 0) return Array.from({ length: templates }, (_, t) => t);
  const picked = axes.map((axis, d) => {
    const n = axis.values.length;
    const fixed = job.options.fix[axis.name];
    if (fixed !== undefined) return [nearest(axis.values, fixed)];
    const count = d === 0 ? FIRST_AXIS : axis.name === "feh" ? METALLICITIES : space.dimension === 0 ? 2 : 1;
    if (count === 1) return [axis.name === "alpha" ? 0 : Math.floor((n - 1) / 2)];
    return [...new Set(Array.from({ length: count }, (_, k) => Math.round(k * (n - 1) / (count - 1))))];
  });
  let nodes: number[][] = [[]];
  for (const choices of picked) nodes = nodes.flatMap((node) => choices.map((c) => [...node, c]));
  const ids = nodes.map((node) => {
    let index = 0;
    node.forEach((c, d) => index = index * axes[d]!.values.length + c);
    return idgrid[index]!;
  }).filter((id) => id >= 0);
  // a grid of mostly holes: every template that exists, thinned
  if (ids.length > 0) return [...new Set(ids)];
  const every = Math.max(1, Math.floor(templates / 24));
  return Array.from({ length: Math.ceil(templates / every) }, (_, k) => k * every);
}

function nearest(values: Float64Array, value: number): number {
  let best = 0;
  values.forEach((v, i) => {
    if (Math.abs(v - value) < Math.abs(values[best]! - value)) best = i;
  });
  return best;
}
