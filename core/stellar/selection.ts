/** Which rows of a file are fitted, and which of them together. */
import type { ArmRows, SpectrumFile } from "../io/spectra.ts";
import type { Table } from "../io/fits_table.ts";
import { InputError } from "../io/input_error.ts";

export interface SelectionRequest {
  /** Arms to fit: indices into `file.arms`. */
  readonly arms: readonly number[];
  /** Only rows whose largest S/N per pixel over the arms exceeds this. */
  readonly minSn: number | null;
  readonly targetids: readonly bigint[] | null;
  /** Join the rows of one TARGETID. */
  readonly joint: boolean;
}

/** S/N that stands for "none". */
export const NO_SN = -1e9;

const SCORES = ["MEDIAN_CALIB_SNR_", "MEDIAN_COADD_SNR_", "MEDIAN_COADD_FLUX_SNR_"];
/** Bits of FIBERSTATUS that do no harm: restricted positioner range, and variable throughput. */
const HARMLESS = (1n << 3n) | (1n << 20n);
/** Rows read at a time where S/N must be measured to select on. */
const CHUNK = 64;

/**
 * Selects as the reference does (rvspecfit 26.07): SKY and BAD objects and bad fibres are left out, then the TARGETID
 * list and the S/N limit apply, each only where asked for.
 *
 * @returns per star its rows, in the order of the file
 * @throws InputError where a column is missing that an option needs
 */
export function selectStars(file: SpectrumFile, request: SelectionRequest): number[][] {
  const { fibermap } = file;
  let rows = Array.from({ length: file.rows }, (_, row) => row);
  const type = fibermap.find("OBJTYPE");
  if (type?.kind === "string") {
    rows = rows.filter((row) => !/^(SKY|BAD)$/.test(type.data[row].trim()));
  }
  const status = ["FIBERSTATUS", "COADD_FIBERSTATUS"].find((name) => fibermap.has(name));
  if (status !== undefined) {
    const bits = fibermap.numbers(status);
    rows = rows.filter((row) => (BigInt(bits[row]) & ~HARMLESS) === 0n);
  }
  if (request.targetids !== null) {
    const ids = targetidsOf(file, "--targetid");
    const wanted = new Set(request.targetids);
    rows = rows.filter((row) => wanted.has(ids[row]));
  }
  if (request.minSn !== null) {
    const best = bestSn(file, request.arms, rows);
    rows = rows.filter((_, i) => best[i] > request.minSn!);
  }
  if (!request.joint) return rows.map((row) => [row]);
  const ids = targetidsOf(file, "--joint-by TARGETID");
  const stars = new Map<bigint, number[]>();
  for (const row of rows) {
    const star = stars.get(ids[row]);
    if (star === undefined) stars.set(ids[row], [row]);
    else star.push(row);
  }
  return [...stars.values()];
}

/** TARGETIDs of all rows. @throws InputError naming the option that needs them */
export function targetidsOf(file: SpectrumFile, option: string): BigInt64Array {
  if (file.fibermap.has("TARGETID")) return file.fibermap.int64("TARGETID");
  throw new InputError(`${file.path}: has no TARGETID, which ${option} needs`);
}

/** S/N per row of one arm from the SCORES table; null where it has none. */
export function scoredSn(scores: Table | null, arm: string, rows: number): Float64Array | null {
  if (scores === null || scores.rows !== rows) return null;
  const name = SCORES.map((prefix) => prefix + arm.toUpperCase()).find((column) => scores.has(column));
  return name === undefined ? null : scores.float64(name).map((sn) => Number.isFinite(sn) ? sn : NO_SN);
}

/** Median flux·√ivar over the good pixels of one row of an arm. */
export function measuredSn(pixels: ArmRows, row: number, npix: number): number {
  const good: number[] = [];
  for (let i = row * npix; i < (row + 1) * npix; i++) {
    if (!(pixels.ivar[i] > 0) || pixels.mask[i] !== 0) continue;
    const sn = pixels.flux[i] * Math.sqrt(pixels.ivar[i]);
    if (!Number.isNaN(sn)) good.push(sn);
  }
  if (good.length === 0) return NO_SN;
  const sorted = Float64Array.from(good).sort();
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return Number.isFinite(median) ? median : NO_SN;
}

/** S/N of rows fitted together. */
export function jointSn(values: readonly number[]): number {
  if (values.length === 1) return values[0];
  const real = values.filter((sn) => sn > NO_SN);
  return real.length === 0 ? NO_SN : Math.sqrt(real.reduce((sum, sn) => sum + Math.max(0, sn) ** 2, 0));
}

function bestSn(file: SpectrumFile, arms: readonly number[], rows: readonly number[]): Float64Array {
  const best = new Float64Array(rows.length).fill(-Infinity);
  for (const arm of arms) {
    const { arm: name, lam } = file.arms[arm];
    const scored = scoredSn(file.scores, name, file.rows);
    for (let first = 0; first < rows.length; first += CHUNK) {
      const chunk = rows.slice(first, first + CHUNK);
      const pixels = scored === null ? file.read(arm, chunk, false) : null;
      chunk.forEach((row, i) => {
        const sn = pixels === null ? scored![row] : measuredSn(pixels, i, lam.length);
        best[first + i] = Math.max(best[first + i], sn);
      });
    }
  }
  return best;
}
