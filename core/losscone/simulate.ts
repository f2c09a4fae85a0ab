/**
 * Simulated sweeps of known truth: an isotropic kappa distribution seen through the loss cone of a charged surface,
 * counted. Everything about a sweep is a function of (seed, number of the sweep, share of the groups) alone; it does
 * not depend on how many are made or from which one on.
 */
import { poisson, POISSON_BLOCKS } from "../poisson.ts";
import { RandomStream } from "../random.ts";
import { CELLS, countFactors, ENERGIES, simulatedThetas } from "./cells.ts";
import { kappaFlux, temperatureOf, thermalSpeedOf } from "./kappa_distribution.ts";
import type { SweepBatch } from "./sweep.ts";

/** What the deviates are for. */
const STREAM = { truth: 0, geometry: 1, group: 2, damage: 3, counts: 4 } as const;

/** Background within the loss cone, beam width (eV) and beam spread in pitch (degrees) of the simulated sweeps. */
const BACKGROUND = 0.05;
const BEAM_WIDTH = 15;
const BEAM_SPREAD = 7.5;

/** PDS fill values: a missing cell and one in error. */
export const FILL = {
  missing: { flux: 9.999e-99, phi: 999.99 },
  error: { flux: -9.99e-99, phi: 998.99 },
} as const;
/** Share of the cells that have a fill value in a sweep of such a group. */
const FILLED = 0.03;

/** What is wrong with a sweep, in the order of the group numbers 0 … 7. */
export const GROUPS = [
  "clean",
  "holes",
  "rows",
  "charged",
  "missing",
  "unconnected",
  "empty",
  "error",
] as const;
export type Group = typeof GROUPS[number];

export interface SimulationOptions {
  readonly sweeps: number;
  readonly seed: number;
  /** Number of the first sweep. Default 0. */
  readonly first?: number;
  /**
   * Shares of the groups, any unit. Default: all clean. `holes`: 5–15 % of the cells NaN; `rows`: 1–3 rows NaN;
   * `charged`: spacecraft at 50–120 V; `missing`, `error`: 3 % PDS fill values; `unconnected`: polarity 0; `empty`: all NaN.
   */
  readonly groups?: Readonly<Partial<Record<Group, number>>>;
  /** False: no loss cone, flux as it comes from the kappa distribution, over wider ranges of it. Default true. */
  readonly lossCone?: boolean;
}

/** Shares of the groups of a set that has some of everything. */
export const MIXED: Readonly<Record<Group, number>> = {
  clean: 140,
  holes: 20,
  rows: 10,
  charged: 10,
  missing: 8,
  unconnected: 6,
  empty: 3,
  error: 3,
};

/** Truth of one sweep. */
export interface SweepTruth {
  readonly sweep: number;
  readonly group: Group;
  /** U, V; NaN without loss cone. */
  readonly uSurface: number;
  /** B at the spacecraft over B at the surface; NaN without loss cone. */
  readonly bsOverBm: number;
  /** A; NaN without loss cone. */
  readonly beamAmplitude: number;
  readonly density: number;
  readonly kappa: number;
  /** eV. */
  readonly temperature: number;
  /** Thermal speed, m/s. */
  readonly theta: number;
}

export interface SimulatedSweeps {
  readonly batch: SweepBatch;
  readonly truths: readonly SweepTruth[];
}

/** Energies of the simulated sweeps: 20000 … 40 eV, geometric, descending. */
export function simulatedEnergies(): Float64Array {
  return Float64Array.from({ length: ENERGIES }, (_, i) => 20000 * (40 / 20000) ** (i / (ENERGIES - 1)));
}

const logUniform = (u: number, low: number, high: number) => low * (high / low) ** u;
const between = (u: number, low: number, high: number) => low + (high - low) * u;

/** Truth and spacecraft potential (V) of one sweep. */
function drawTruth(options: SimulationOptions, sweep: number): { truth: SweepTruth; potential: number } {
  const u = new RandomStream(options.seed, sweep, STREAM.truth).uniforms(new Float64Array(12));
  const group = drawGroup(options, sweep);
  const cone = options.lossCone ?? true;
  const [density, kappa, temperature] = cone
    ? [logUniform(u[0], 1e6, 1e7), between(u[1], 2.8, 5.8), logUniform(u[2], 20, 200)]
    : [logUniform(u[0], 3e5, 2e7), between(u[1], 2.6, 5.9), logUniform(u[2], 10, 400)];
  const theta = thermalSpeedOf(kappa, temperature);
  const uSurface = u[3] < 0.75
    ? -logUniform(u[4], 20, 800)
    : u[3] < 0.9
    ? between(u[4], -20, 15)
    : between(u[4], -1500, -800);
  const beamAmplitude = u[6] < 0.3 ? 0 : between(u[7], 0.2, 4);
  const potential = group === "charged"
    ? between(u[9], 50, 120)
    : u[8] < 0.5
    ? between(u[9], 5, 20)
    : between(u[9], -80, -5);
  const truth = {
    sweep,
    group,
    uSurface: cone ? uSurface : NaN,
    bsOverBm: cone ? between(u[5], 0.35, 1.05) : NaN,
    beamAmplitude: cone ? beamAmplitude : NaN,
    density,
    kappa,
    temperature: temperatureOf(kappa, theta),
    theta,
  };
  return { truth, potential: cone ? potential : 0 };
}

function drawGroup(options: SimulationOptions, sweep: number): Group {
  const shares = GROUPS.map((group) => options.groups === undefined ? 0 : options.groups[group] ?? 0);
  const whole = shares.reduce((sum, share) => sum + share, 0);
  if (shares.some((share) => !(share >= 0)) || (options.groups !== undefined && !(whole > 0))) {
    throw new RangeError(`shares of the groups must be non-negative and not all 0, got ${shares.join(", ")}`);
  }
  let left = new RandomStream(options.seed, sweep, STREAM.group).uniform(0) * whole;
  for (const [i, share] of shares.entries()) {
    if (share > 0 && left < share) return GROUPS[i];
    left -= share;
  }
  return "clean";
}

/** Simulates sweeps `first` … `first + sweeps − 1`. @throws RangeError where an option makes no sense */
export function simulateSweeps(options: SimulationOptions): SimulatedSweeps {
  const { sweeps: n, first = 0 } = options;
  if (!Number.isInteger(n) || n < 0) throw new RangeError(`sweeps must be a whole number, got ${n}`);
  if (!Number.isInteger(first) || first < 0 || first + n > 2 ** 32) {
    throw new RangeError(`sweeps are numbered from 0 to 2^32 − 1, got ${first} … ${first + n - 1}`);
  }
  const theta = simulatedThetas(), factors = countFactors(theta), row = simulatedEnergies(), R = ENERGIES;
  const batch = {
    count: n,
    rows: R,
    cells: CELLS,
    energy: new Float64Array(n * R),
    theta,
    phi: new Float64Array(n * R * CELLS),
    flux: new Float64Array(n * R * CELLS),
    field: new Float64Array(n * R * 3),
    polarity: new Float64Array(n * R),
    uSpacecraft: new Float64Array(n * R),
  };
  const truths: SweepTruth[] = [];
  for (let i = 0; i < n; i++) {
    const { truth, potential } = drawTruth(options, first + i);
    const sky = drawGeometry(options.seed, first + i, theta);
    const rows = [i * R, (i + 1) * R] as const;
    batch.energy.set(row, rows[0]);
    batch.uSpacecraft.fill(potential, ...rows);
    batch.polarity.fill(truth.group === "unconnected" ? 0 : sky.polarity, ...rows);
    for (let r = rows[0]; r < rows[1]; r++) {
      batch.field.set(sky.field, 3 * r);
      batch.phi.set(sky.phi, r * CELLS);
    }
    const flux = batch.flux.subarray(rows[0] * CELLS, rows[1] * CELLS);
    observe(flux, options.seed, truth, potential, row, factors, sky.pitch);
    damage(flux, batch.phi.subarray(rows[0] * CELLS, rows[1] * CELLS), options.seed, truth);
    truths.push(truth);
  }
  return { batch, truths };
}

interface Geometry {
  /** nT. */
  readonly field: readonly [number, number, number];
  readonly polarity: 1 | -1;
  /** Degrees, by cell. */
  readonly phi: Float64Array;
  readonly pitch: Float64Array;
}

/** Field of 5–30 nT in any direction, polarity either way, azimuths of all rings from one spin phase. */
function drawGeometry(seed: number, sweep: number, theta: Float64Array): Geometry {
  const u = new RandomStream(seed, sweep, STREAM.geometry).uniforms(new Float64Array(6));
  const z = between(u[0], -1, 1), around = 2 * Math.PI * u[1], s = Math.sqrt(1 - z * z);
  const unit = [s * Math.cos(around), s * Math.sin(around), z] as const;
  const size = between(u[2], 5, 30), polarity = u[3] < 0.5 ? 1 : -1, phase = 360 * u[4];
  const phi = new Float64Array(CELLS), pitch = new Float64Array(CELLS), rad = Math.PI / 180;
  for (let k = 0, ring = 0; k < CELLS; k++) {
    if (k > 0 && theta[k] !== theta[k - 1]) ring = k;
    const cells = theta.lastIndexOf(theta[k]) - ring + 1;
    phi[k] = (phase + 360 * (k - ring) / cells) % 360;
    const [p, t] = [phi[k] * rad, theta[k] * rad];
    const along = unit[0] * Math.cos(p) * Math.cos(t) + unit[1] * Math.sin(p) * Math.cos(t) +
      unit[2] * Math.sin(t);
    pitch[k] = Math.acos(Math.max(-1, Math.min(1, polarity * along))) / rad;
  }
  return { field: [size * unit[0], size * unit[1], size * unit[2]], polarity, phi, pitch };
}

/** Share of the incident flux that is seen at an energy (eV), by pitch angle (degrees). */
function seenAt(truth: SweepTruth, potential: number, energy: number): (pitch: number) => number {
  if (Number.isNaN(truth.uSurface)) return () => 1;
  const { uSurface: U, bsOverBm: b, beamAmplitude: A } = truth;
  const x = Math.max(0, Math.min(1, b * (1 + U / Math.max(energy - potential, 1e-12))));
  const edge = 180 - Math.asin(Math.sqrt(x)) * 180 / Math.PI, drop = potential - U;
  const off = (energy - Math.max(drop, BEAM_WIDTH)) / BEAM_WIDTH;
  const beam = drop > 0 ? A * Math.exp(-0.5 * off * off) : 0;
  return (pitch) => {
    const step = pitch <= edge ? 1 : BACKGROUND, aside = (pitch - 180) / BEAM_SPREAD;
    return beam === 0 ? step : step + beam * Math.exp(-0.5 * aside * aside);
  };
}

/** Fluxes of all cells of a sweep, from Poisson counts. */
function observe(
  flux: Float64Array,
  seed: number,
  truth: SweepTruth,
  potential: number,
  energies: Float64Array,
  factors: Float64Array,
  pitch: Float64Array,
): void {
  const stream = new RandomStream(seed, truth.sweep, STREAM.counts);
  energies.forEach((energy, r) => {
    const isotropic = kappaFlux(truth, energy) / (4 * Math.PI), seen = seenAt(truth, potential, energy);
    for (let k = 0; k < CELLS; k++) {
      const at = r * CELLS + k, factor = factors[k] * energy;
      flux[at] = poisson(stream, at * POISSON_BLOCKS, isotropic * seen(pitch[k]) * factor) / factor;
    }
  });
}

/** Does to the cells of a sweep what its group says. */
function damage(flux: Float64Array, phi: Float64Array, seed: number, truth: SweepTruth): void {
  const stream = new RandomStream(seed, truth.sweep, STREAM.damage);
  const chance = () => stream.uniforms(new Float64Array(2 + flux.length));
  if (truth.group === "empty") flux.fill(NaN);
  if (truth.group === "holes") {
    const u = chance(), share = between(u[0], 0.05, 0.15);
    for (let k = 0; k < flux.length; k++) if (u[2 + k] < share) flux[k] = NaN;
  }
  if (truth.group === "rows") {
    const u = chance(), rows = flux.length / CELLS, left = Array.from({ length: rows }, (_, r) => r);
    const count = 1 + Math.floor(3 * u[0]);
    for (let i = 0; i < count; i++) {
      const [r] = left.splice(Math.floor(u[2 + i] * left.length), 1);
      flux.fill(NaN, r * CELLS, (r + 1) * CELLS);
    }
  }
  if (truth.group === "missing" || truth.group === "error") {
    const u = chance(), fill = FILL[truth.group];
    for (let k = 0; k < flux.length; k++) {
      if (u[2 + k] < FILLED) [flux[k], phi[k]] = [fill.flux, fill.phi];
    }
  }
}
