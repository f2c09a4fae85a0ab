/**
 * Simulated stars of known truth. Everything about a star is a function of (seed, number of the star) alone: its
 * parameters, velocity, continuum, noise and masks do not depend on the batch or the order.
 */
import { cellFractions, cellOf, cornerIds, type Grid, hasHole, mappedPoint } from "../templates/grid.ts";
import { RandomStream } from "../random.ts";
import { type ArmModel, deconvolved, drawResolution, SIMULATED_ARMS } from "./simulate_arms.ts";

/** What the deviates are for. */
const STREAM = { truth: 0, level: 1, noise: 8, mask: 16, resolution: 24 } as const;

/** km/s. */
const MOST_VELOCITY = 300;
const MOST_VSINI = 150;
/** Share of stars that do not rotate. */
const STILL = 0.3;
/** Share of pixels with a mask bit set and a spike under it; share of pixels without data. */
const MASKED = 0.005;
const DEAD = 0.001;
/** Bit "cosmic ray" of DESI's spectral mask. */
const COSMIC = 4;
/** Height of the spike, σ. */
const SPIKE = 30;
const ATTEMPTS = 200;

export interface SimulationOptions {
  readonly seed: number;
  /** Range of the median S/N per pixel of the r arm, drawn log-uniformly. */
  readonly snMin: number;
  readonly snMax: number;
  /**
   * Distance that parameters keep from either end of their axis: a fraction of the axis, or by axis in its own units.
   */
  readonly margin: number | Readonly<Record<string, number>>;
  /** Spectra are resolved with their own matrices; else they have the nominal line spread. */
  readonly resolutionMatrix: boolean;
}

export interface Truth {
  readonly star: number;
  readonly targetid: bigint;
  /** km/s. */
  readonly vrad: number;
  readonly vsini: number;
  /** Physical units, in the order of the axes. */
  readonly params: readonly number[];
  /** Median S/N per pixel of the r arm. */
  readonly sn: number;
}

/** Where a point lies in a grid: templates at the corners of its cell (−1 = hole), fractions within it. */
export interface Place {
  readonly corners: Int32Array;
  readonly t: Float64Array;
}

/** @param params - within the axes, physical units */
export function placeOf(grid: Grid, params: readonly number[]): Place {
  const u = mappedPoint(grid.axes, params), cell = cellOf(grid, u);
  return { corners: cornerIds(grid, cell), t: cellFractions(grid, cell, u) };
}

/** Truth of one star. @throws RangeError where the grid within the margins is all holes */
export function drawTruth(grid: Grid, options: SimulationOptions, star: number): Truth {
  const stream = new RandomStream(options.seed, star, STREAM.truth);
  const u = stream.uniforms(new Float64Array(4));
  const vrad = MOST_VELOCITY * (2 * u[0] - 1);
  const vsini = u[1] < STILL ? 0 : MOST_VSINI * (u[1] - STILL) / (1 - STILL);
  const sn = options.snMin * (options.snMax / options.snMin) ** u[2];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const params = grid.axes.map((axis, d) => {
      const low = axis.values[0], high = axis.values[axis.values.length - 1];
      const margin = typeof options.margin === "number"
        ? options.margin * (high - low)
        : options.margin[axis.name] ?? 0;
      return low + margin + (high - low - 2 * margin) * stream.uniform(8 + attempt * grid.axes.length + d);
    });
    if (!hasHole(placeOf(grid, params).corners)) {
      return { star, targetid: targetidOf(star), vrad, vsini, params, sn };
    }
  }
  throw new RangeError(`star ${star}: no cell without holes in ${ATTEMPTS} draws`);
}

/** TARGETID of a simulated star. */
export function targetidOf(star: number): bigint {
  return 1_000_001n + BigInt(star);
}

/** Spectra of some stars before continuum and noise: one array per arm, shape (stars, npix). */
export type Evaluate = (
  truths: readonly Truth[],
  /** Per arm: the deconvolved resolution matrices by rows, shape (stars, npix, ndiag); null in nominal mode. */
  rows: readonly Float64Array[] | null,
) => readonly Float64Array[];

/** Some simulated stars. */
export interface SimulatedBatch {
  readonly truths: readonly Truth[];
  readonly arms: readonly SimulatedRows[];
}

/** One arm of them, as the file stores it. */
export interface SimulatedRows {
  /** Shape (stars, npix). */
  readonly flux: Float32Array;
  readonly ivar: Float32Array;
  readonly mask: Int32Array;
  /** DESI storage, shape (stars, ndiag, npix). */
  readonly resolution: Float32Array;
  /** Median S/N per pixel of every star, good pixels. */
  readonly sn: Float32Array;
  /** Without noise, shape (stars, npix). */
  readonly model: Float64Array;
}

/**
 * Simulates some stars.
 *
 * @param stars - their numbers
 * @param sigma0 - standard deviation, Å, of the line spread in the spectra that `evaluate` resolves, per arm
 */
export function simulateStars(
  grid: Grid,
  options: SimulationOptions,
  stars: readonly number[],
  evaluate: Evaluate,
  sigma0: readonly number[],
): SimulatedBatch {
  const truths = stars.map((star) => drawTruth(grid, options, star));
  const resolution = SIMULATED_ARMS.map((arm, a) => {
    const npix = arm.lam.length, size = arm.ndiag * npix;
    const out = new Float32Array(stars.length * size);
    stars.forEach((star, i) => {
      const deviates = new RandomStream(options.seed, star, STREAM.resolution + a);
      out.set(drawResolution(arm, deviates), i * size);
    });
    return out;
  });
  const rows = options.resolutionMatrix
    ? SIMULATED_ARMS.map((arm, a) => deconvolved(resolution[a], stars.length, arm, sigma0[a]))
    : null;
  const spectra = evaluate(truths, rows);
  const arms = SIMULATED_ARMS.map((arm, a) => emptyRows(arm, stars.length, resolution[a]));
  truths.forEach((truth, i) => observe(truth, i, options.seed, spectra, arms));
  return { truths, arms };
}

function emptyRows(arm: ArmModel, stars: number, resolution: Float32Array): SimulatedRows {
  const size = stars * arm.lam.length;
  return {
    flux: new Float32Array(size),
    ivar: new Float32Array(size),
    mask: new Int32Array(size),
    resolution,
    sn: new Float32Array(stars),
    model: new Float64Array(size),
  };
}

/** Gives one star its continuum, noise and masks. */
function observe(
  truth: Truth,
  i: number,
  seed: number,
  spectra: readonly Float64Array[],
  arms: readonly SimulatedRows[],
): void {
  const level = new RandomStream(seed, truth.star, STREAM.level);
  // Flux at the middle of r, in the file's unit.
  const brightness = 10 ** (0.3 + 1.7 * level.uniform(0));
  const models = SIMULATED_ARMS.map((arm, a) => {
    const npix = arm.lam.length, spectrum = spectra[a].subarray(i * npix, (i + 1) * npix);
    const model = arms[a].model.subarray(i * npix, (i + 1) * npix);
    const middle = median(spectrum);
    // A positive parabola: within the span of either continuum basis.
    const slope = 0.6 * (level.uniform(2 + 2 * a) - 0.5), bend = 0.4 * (level.uniform(3 + 2 * a) - 0.5);
    for (let p = 0; p < npix; p++) {
      const x = 2 * (arm.lam[p] - arm.lam[0]) / (arm.lam[npix - 1] - arm.lam[0]) - 1;
      model[p] = brightness / middle * spectrum[p] * (1 + slope * x + bend * x * x);
    }
    return model;
  });
  const r = SIMULATED_ARMS.findIndex((arm) => arm.arm === "r");
  const unit = median(models[r].map((x, p) => x / SIMULATED_ARMS[r].noise[p])) / truth.sn;
  SIMULATED_ARMS.forEach((arm, a) => {
    const npix = arm.lam.length, first = i * npix, model = models[a];
    const noise = new RandomStream(seed, truth.star, STREAM.noise + a).normals(new Float64Array(npix));
    const chance = new RandomStream(seed, truth.star, STREAM.mask + a).uniforms(new Float64Array(npix));
    const { flux, ivar, mask } = arms[a];
    const ratios: number[] = [];
    for (let p = 0; p < npix; p++) {
      // The σ that the file says, to the last bit of its float32 ivar.
      const stored = Math.fround(1 / (unit * arm.noise[p]) ** 2), sigma = 1 / Math.sqrt(stored);
      const at = first + p;
      if (chance[p] < DEAD) continue;
      const masked = chance[p] < DEAD + MASKED;
      flux[at] = model[p] + sigma * (noise[p] + (masked ? SPIKE : 0));
      ivar[at] = stored;
      mask[at] = masked ? COSMIC : 0;
      if (!masked) ratios.push(flux[at] / sigma);
    }
    arms[a].sn[i] = median(Float64Array.from(ratios));
  });
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort(), n = sorted.length;
  return n % 2 === 1 ? sorted[n >> 1] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}
