/**
 * One row of the PDS 3-D flux table (LP-L-ER-3-RDR-3DELEFLUX-80SEC-V1.1): 183 columns separated by blanks, by position
 * UTC, time, energy, spec_no, mag_x, mag_y, mag_z, 88 fluxes, 88 azimuths.
 */
import { SWEEP_CELLS } from "../sweep.ts";

/** Columns before the fluxes. */
export const HEAD_COLUMNS = 7;
export const TABLE_COLUMNS = HEAD_COLUMNS + 2 * SWEEP_CELLS;

const decoder = new TextDecoder();

/** Name of a column, from its position counted from 0. */
export function columnName(column: number): string {
  if (column < HEAD_COLUMNS) {
    return ["UTC", "time", "energy", "spec_no", "mag_x", "mag_y", "mag_z"][column];
  }
  const cell = column - HEAD_COLUMNS;
  return cell < SWEEP_CELLS ? `ele_flux_${cell}` : `dist_phi_${cell - SWEEP_CELLS}`;
}

/** Blanks of the table: everything up to a space, tabs and carriage returns among it. */
const isBlank = (byte: number) => byte <= 0x20;

/** Number of columns of a row. */
export function countColumns(bytes: Uint8Array, start: number, end: number): number {
  let count = 0, blank = true;
  for (let i = start; i < end; i++) {
    const now = bytes[i] <= 0x20;
    if (blank && !now) count++;
    blank = now;
  }
  return count;
}

/** The first columns of a row, as text. */
export function headWords(bytes: Uint8Array, start: number, end: number): string[] {
  const words: string[] = [];
  let at = start;
  while (words.length < HEAD_COLUMNS) {
    while (at < end && isBlank(bytes[at])) at++;
    if (at >= end) break;
    const first = at;
    while (at < end && !isBlank(bytes[at])) at++;
    words.push(decoder.decode(bytes.subarray(first, at)));
  }
  return words;
}

/** A number as the tables write it, `NaN` and `Inf` in any case included; undefined for anything else. */
export function tableNumber(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?$/.test(text)) return Number(text.replace(/[dD]/, "E"));
  if (/^[+-]?nan$/i.test(text)) return NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  return infinite === null ? undefined : infinite[1] === "-" ? -Infinity : Infinity;
}

const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** Where `readNumbers` met something that is no number. */
export interface BadColumn {
  readonly column: number;
  readonly text: string;
}

/**
 * Parses fluxes and azimuths of a row.
 *
 * @param flux, phi - filled; shape (88)
 * @returns null, or the first column that holds no number; what follows it is then untouched
 */
export function readNumbers(
  bytes: Uint8Array,
  start: number,
  end: number,
  flux: Float64Array,
  phi: Float64Array,
): BadColumn | null {
  let at = start;
  for (let column = 0; column < TABLE_COLUMNS; column++) {
    while (at < end && bytes[at] <= 0x20) at++;
    const first = at;
    while (at < end && bytes[at] > 0x20) at++;
    if (column < HEAD_COLUMNS) continue;
    const value = decimal(bytes, first, at);
    if (value === undefined) return { column, text: decoder.decode(bytes.subarray(first, at)) };
    const cell = column - HEAD_COLUMNS;
    if (cell < SWEEP_CELLS) flux[cell] = value;
    else phi[cell - SWEEP_CELLS] = value;
  }
  return null;
}

/**
 * Up to 15 digits and a power of ten within ±22 are both exact in float64, so that one multiplication or division rounds
 * correctly (Clinger 1990); the rest is left to the runtime.
 */
function decimal(bytes: Uint8Array, first: number, end: number): number | undefined {
  let at = first, mantissa = 0, digits = 0, scale = 0, seen = false, negative = false;
  if (bytes[at] === 0x2d || bytes[at] === 0x2b) negative = bytes[at++] === 0x2d;
  for (let fraction = false; at < end; at++) {
    const byte = bytes[at];
    if (byte >= 0x30 && byte <= 0x39) {
      mantissa = 10 * mantissa + byte - 0x30;
      if (mantissa > 0) digits++;
      if (fraction) scale--;
      seen = true;
    } else if (byte === 0x2e && !fraction) fraction = true;
    else break;
  }
  if (seen && at < end && (bytes[at] | 0x20) === 0x65 && at + 1 < end) {
    at++;
    const down = bytes[at] === 0x2d;
    if (down || bytes[at] === 0x2b) at++;
    let power = 0, any = false;
    for (; at < end && bytes[at] >= 0x30 && bytes[at] <= 0x39 && power < 10_000; at++) {
      power = 10 * power + bytes[at] - 0x30;
      any = true;
    }
    if (!any) return undefined;
    scale += down ? -power : power;
  }
  if (!seen || at !== end || digits > 15 || scale < -22 || scale > 22) {
    return tableNumber(decoder.decode(bytes.subarray(first, end)));
  }
  const size = scale < 0 ? mantissa / POWERS[-scale] : mantissa * POWERS[scale];
  return negative ? -size : size;
}
