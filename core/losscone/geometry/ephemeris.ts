/**
 * Where the spacecraft was and how it stood: a CSV with UTC, position (km) and spin axis, both Moon-fixed (IAU_MOON).
 * The first line may name the columns `utc, x, y, z, spin_x, spin_y, spin_z`, in any order, others ignored; without
 * names they are these seven in this order. Lines with # are comments.
 */
import { readFileSync } from "node:fs";
import { InputError } from "../../io/input_error.ts";
import { inputFault } from "../../io/system_fault.ts";
import { parseUtc, type UnixSeconds } from "../input/utc.ts";
import { unit, type Vector } from "./vectors.ts";

/** Columns of the file. */
export const EPHEMERIS_COLUMNS = ["utc", "x", "y", "z", "spin_x", "spin_y", "spin_z"] as const;

/** Plain arrays, so that workers can be handed them. */
export interface Ephemeris {
  /** Strictly increasing, shape (n). */
  readonly time: Float64Array;
  /** x, y, z in km, then the spin axis (any length), shape (n, 6). */
  readonly state: Float64Array;
  /** A step longer than this, s, is a gap in the coverage. */
  readonly longest: number;
}

/** Steps longer than so many median steps are gaps. */
const GAP = 3;

/** Reads an ephemeris. @throws InputError where a line is wrong (it is named) or times do not increase */
export function readEphemeris(path: string): Ephemeris {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw inputFault(error, path, "cannot be opened");
  }
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  let order: readonly number[] | null = null;
  const times: number[] = [], state: number[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const where = `${path}: line ${i + 1}`;
    const words = line.split(",").map((word) => word.trim().replace(/^"(.*)"$/, "$1"));
    if (order === null) {
      const names = columnOrder(words, where);
      order = names ?? EPHEMERIS_COLUMNS.map((_, k) => k);
      if (names !== null) continue;
    }
    const picked = order.map((k) => words[k] ?? "");
    const missing = picked.findIndex((word) => word === "");
    if (missing >= 0) {
      throw new InputError(
        `${where}: has no ${EPHEMERIS_COLUMNS[missing]}; expected ${EPHEMERIS_COLUMNS.join(",")}`,
      );
    }
    const time = parseUtc(picked[0]);
    if (Number.isNaN(time)) {
      throw new InputError(`${where}: utc is "${picked[0]}", expected a time such as 1999-04-29T14:45:00`);
    }
    if (time <= (times.at(-1) ?? -Infinity)) {
      throw new InputError(
        `${where}: utc ${picked[0]} is not later than that before; sort the file, each time once`,
      );
    }
    const numbers = picked.slice(1).map(Number);
    const bad = numbers.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new InputError(
        `${where}: ${EPHEMERIS_COLUMNS[bad + 1]} is "${picked[bad + 1]}", expected a finite number`,
      );
    }
    times.push(time);
    state.push(...numbers);
  }
  if (times.length < 2) throw new InputError(`${path}: holds ${times.length} times, expected two or more`);
  const steps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
  return {
    time: Float64Array.from(times),
    state: Float64Array.from(state),
    longest: GAP * steps[steps.length >> 1],
  };
}

/** Places of the columns in a line of names; null where the line holds data. @throws InputError where a name is missing */
function columnOrder(words: readonly string[], where: string): number[] | null {
  const names = words.map((word) => word.toLowerCase());
  if (!Number.isNaN(parseUtc(words[0])) || !names.some((name) => /^[a-z]/.test(name))) return null;
  const order = EPHEMERIS_COLUMNS.map((name) => names.indexOf(name));
  const missing = order.indexOf(-1);
  if (missing < 0) return order;
  throw new InputError(
    `${where}: names no column ${EPHEMERIS_COLUMNS[missing]}; expected ${EPHEMERIS_COLUMNS.join(",")}`,
  );
}

/** Position, km, and spin axis, unit vector. */
export interface SpacecraftState {
  readonly position: Vector;
  readonly spin: Vector;
}

/**
 * The state at a time: a cubic through the four samples around it for the position (on a lunar orbit sampled each minute
 * good to a metre, beside gaps to 20 m), linear for the axis. Null outside the coverage and in its gaps.
 */
export function stateAt(ephemeris: Ephemeris, time: UnixSeconds): SpacecraftState | null {
  const { time: t, state, longest } = ephemeris, n = t.length;
  if (!(time >= t[0] && time <= t[n - 1])) return null;
  let low = 0, high = n - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (t[middle] <= time) low = middle;
    else high = middle;
  }
  if (t[high] - t[low] > longest && time !== t[low] && time !== t[high]) return null;
  const close = (i: number) => i > 0 && i < n && t[i] - t[i - 1] <= longest;
  const nodes = [...(close(low) ? [low - 1] : []), low, high, ...(close(high + 1) ? [high + 1] : [])];
  const position = [0, 0, 0], p = (time - t[low]) / (t[high] - t[low]);
  for (const i of nodes) {
    let weight = 1;
    for (const j of nodes) if (j !== i) weight *= (time - t[j]) / (t[i] - t[j]);
    for (let k = 0; k < 3; k++) position[k] += weight * state[6 * i + k];
  }
  const axis = (k: number) => (1 - p) * state[6 * low + 3 + k] + p * state[6 * high + 3 + k];
  return {
    position: position as unknown as Vector,
    spin: unit([axis(0), axis(1), axis(2)]),
  };
}
