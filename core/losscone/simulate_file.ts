/** Simulated sweeps as files: an NPZ with the truth, or PDS 3-D tables with theta.tab and an ephemeris beside them. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { AtomicFile, writeAtomic } from "../io/atomic_write.ts";
import { InputError } from "../io/input_error.ts";
import { encodeNumbers, encodeStrings } from "../io/npy.ts";
import { NpzWriter } from "../io/npz_writer.ts";
import type { NumberArray } from "../io/number_types.ts";
import { solidAngles } from "./cells.ts";
import { fromAxes, MOON_RADIUS, spacecraftAxes } from "./geometry/field_line.ts";
import { SunTrack } from "./geometry/moon_frame.ts";
import { cross, unit, type Vector } from "./geometry/vectors.ts";
import { EPHEMERIS_COLUMNS } from "./geometry/ephemeris.ts";
import { dateOfName } from "./input/table_files.ts";
import {
  GROUPS,
  simulatedEnergies,
  simulateSweeps,
  type SimulationOptions,
  type SweepTruth,
} from "./simulate.ts";
import { SWEEP_CELLS, SWEEP_ROWS, type SweepBatch } from "./sweep.ts";

const R = SWEEP_ROWS, P = SWEEP_CELLS;
/** Sweeps made at a time. */
const PIECE = 256;
/** Accumulation of a sweep, s; sweeps of a day. */
const CADENCE = 80;
const DAILY = 86400 / CADENCE;
/** First day where the name of the file tells none. */
const FIRST_DAY = { year: 1999, month: 4, day: 29 };
/** Distance of the simulated spacecraft from the centre of the Moon, km. */
const ORBIT = MOON_RADIUS + 100;

export interface SimulationFile {
  /** An `.npz`, a `3DYYMMDD.TAB`, or a folder for such tables, one a day. */
  readonly out: string;
  readonly options: SimulationOptions;
  readonly overwrite: boolean;
}

/**
 * Writes them.
 *
 * @returns the files that were written
 * @throws InputError where one is there already or cannot be written; the reason of the signal after an abort
 */
export async function writeSimulatedSweeps(
  { out, options, overwrite }: SimulationFile,
  onProgress: (done: number) => void = () => {},
  signal?: AbortSignal,
): Promise<string[]> {
  const task = { options, overwrite, onProgress, signal };
  if (/\.npz$/i.test(out)) return [await writeNpz(out, task)];
  if (dateOfName(out) !== null) return await writeTables(dirname(out), [out], task);
  if (/\.[a-z0-9]+$/i.test(basename(out)) && !(existsSync(out) && statSync(out).isDirectory())) {
    throw new InputError(`--out ${out}: must be NAME.npz, a table 3DYYMMDD.TAB, or a folder for tables`);
  }
  mkdirSync(out, { recursive: true });
  const days = Math.max(1, Math.ceil(options.sweeps / DAILY));
  const names = Array.from({ length: days }, (_, day) => {
    const date = new Date(startOf(null) * 1000 + day * 86_400_000).toISOString();
    return join(out, `3D${date.slice(2, 4)}${date.slice(5, 7)}${date.slice(8, 10)}.TAB`);
  });
  return await writeTables(out, names, task);
}

interface Task {
  readonly options: SimulationOptions;
  readonly overwrite: boolean;
  onProgress(done: number): void;
  readonly signal: AbortSignal | undefined;
}

function refuse(paths: readonly string[], { overwrite }: Task): void {
  const there = paths.find((path) => existsSync(path));
  if (there !== undefined && !overwrite) {
    throw new InputError(`${there}: is there already; give --overwrite to replace it`);
  }
}

/** Sweeps in pieces; pauses in between, so that a signal is heard. */
async function* pieces(first: number, count: number, { options, onProgress, signal }: Task) {
  for (let at = first; at < first + count; at += PIECE) {
    await new Promise((next) => setTimeout(next));
    signal?.throwIfAborted();
    const sweeps = Math.min(PIECE, first + count - at);
    yield { at, ...simulateSweeps({ ...options, sweeps, first: (options.first ?? 0) + at }) };
    onProgress(at + sweeps);
  }
}

/** Midnight of the day that a name tells, Unix seconds. */
function startOf(path: string | null): number {
  const { year, month, day } = (path === null ? null : dateOfName(path)) ?? FIRST_DAY;
  return Date.UTC(year, month - 1, day) / 1000;
}

const utcText = (time: number): string => new Date(1000 * time).toISOString().slice(0, 23);

const TRUTHS: readonly (readonly [name: string, of: (truth: SweepTruth) => number])[] = [
  ["true_u_surface", (truth) => truth.uSurface],
  ["true_bs_over_bm", (truth) => truth.bsOverBm],
  ["true_beam_amp", (truth) => truth.beamAmplitude],
  ["true_density", (truth) => truth.density],
  ["true_kappa", (truth) => truth.kappa],
  ["true_te_ev", (truth) => truth.temperature],
  ["true_theta", (truth) => truth.theta],
];

async function writeNpz(path: string, task: Task): Promise<string> {
  refuse([path], task);
  using npz = NpzWriter.create(path);
  const n = task.options.sweeps;
  const whole = (name: string, data: NumberArray) => npz.add(name, { shape: [data.length], data });
  const { theta } = simulateSweeps({ ...task.options, sweeps: 0 }).batch;
  await whole("energy", simulatedEnergies());
  await whole("theta", theta);
  await whole("solid_angle", solidAngles(theta));
  // The two large arrays one after the other; what is small is kept from the first pass.
  const small = { mag: [] as number[], polarity: [] as number[], volts: [] as number[] };
  const truths: SweepTruth[] = [];
  async function* bytesOf(key: "flux" | "phi") {
    const half = key === "flux" ? 0 : n / 2;
    const onProgress = (done: number) => task.onProgress(half + done / 2);
    for await (const { batch, truths: own } of pieces(0, n, { ...task, onProgress })) {
      yield encodeNumbers(batch[key], false).bytes;
      if (key === "phi") continue;
      truths.push(...own);
      for (let i = 0; i < batch.count; i++) {
        small.mag.push(...batch.field.subarray(3 * i * R, 3 * i * R + 3));
        small.polarity.push(batch.polarity[i * R]);
        small.volts.push(batch.uSpacecraft[i * R]);
      }
    }
  }
  for (const key of ["flux", "phi"] as const) await npz.addPieces(key, "<f8", [n, R, P], bytesOf(key));
  await npz.add("mag", { shape: [n, 3], data: Float64Array.from(small.mag) });
  await whole("polarity", Int8Array.from(small.polarity));
  await whole("u_spacecraft", Float64Array.from(small.volts));
  await whole("spec_no", BigInt64Array.from(truths, ({ sweep }) => BigInt(sweep)));
  const { dtype, bytes } = encodeStrings(truths.map((_, i) => utcText(startOf(null) + CADENCE * i)));
  await npz.addPieces("utc", dtype, [n], [bytes]);
  await whole("group", Int8Array.from(truths, ({ group }) => GROUPS.indexOf(group)));
  for (const [name, of] of TRUTHS) await whole(name, Float64Array.from(truths, of));
  npz.commit();
  return path;
}

async function writeTables(folder: string, paths: readonly string[], task: Task): Promise<string[]> {
  const theta = join(folder, "theta.tab"), ephemeris = join(folder, "ephemeris.csv");
  refuse([...paths, theta, ephemeris], task);
  const { sweeps } = task.options;
  const start = startOf(paths[0]), sun = new SunTrack();
  const orbit = [EPHEMERIS_COLUMNS.join(",")], encoder = new TextEncoder();
  for (const [i, path] of paths.entries()) {
    const first = i * DAILY, count = paths.length === 1 ? sweeps : Math.min(DAILY, sweeps - first);
    using file = AtomicFile.create(path);
    for await (const { at, batch } of pieces(first, count, task)) {
      file.write(encoder.encode(tableText(batch, at, start, at - first)));
      for (let k = 0; k < batch.count; k++) orbit.push(orbitLine(batch, k, start + CADENCE * (at + k), sun));
    }
    file.commit();
  }
  const elevations = simulateSweeps({ ...task.options, sweeps: 0 }).batch.theta;
  writeAtomic(theta, [...elevations].join(" ") + "\n");
  // An ephemeris has two times or more.
  if (sweeps === 1) orbit.push(orbit[1].replace(/^[^,]*/, utcText(start + CADENCE)));
  writeAtomic(ephemeris, orbit.join("\n") + "\n");
  return [...paths, theta, ephemeris];
}

/** Rows of the table; the sweep at place `at` of the run is the first, `own` its number in the file. */
function tableText(
  { count, energy, field, flux, phi }: SweepBatch,
  at: number,
  start: number,
  own: number,
): string {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const time = start + CADENCE * (at + i), utc = utcText(time);
    for (let r = i * R; r < (i + 1) * R; r++) {
      const words = [utc, time, energy[r].toFixed(3), own + i];
      for (let k = 0; k < 3; k++) words.push(field[3 * r + k].toFixed(5));
      for (let c = r * P; c < (r + 1) * P; c++) words.push(flux[c] === 0 ? "0" : flux[c].toExponential(4));
      for (let c = r * P; c < (r + 1) * P; c++) words.push(phi[c].toFixed(2));
      lines.push(words.join(" "));
    }
  }
  return lines.length === 0 ? "" : lines.join("\n") + "\n";
}

/**
 * A place from which the field line of the sweep meets the Moon in the direction that its polarity says: 100 km above
 * the point below which the line goes straight down; with polarity 0, one where the line passes by. The spin axis is the
 * Moon's.
 */
function orbitLine({ field, polarity }: SweepBatch, i: number, time: number, sun: SunTrack): string {
  const spin: Vector = [0, 0, 1];
  const at = 3 * i * R, b: Vector = [field[at], field[at + 1], field[at + 2]];
  const line = unit(fromAxes(b, spacecraftAxes(spin, sun.at(time))));
  const sign = polarity[i * R];
  const aside = unit(cross(line, Math.abs(line[0]) < 0.7 ? [1, 0, 0] : [0, 1, 0]));
  const place = sign === 0 ? aside.map((x) => ORBIT * x) : line.map((x) => -ORBIT * sign * x);
  return [utcText(time), ...place.map((x) => x.toFixed(4)), ...spin].join(",");
}
