/** From what was posted to a worker to the arrays that the fits take. */
import { FILL } from "../simulate.ts";
import { SWEEP_CELLS, SWEEP_ROWS, type SweepBatch } from "../sweep.ts";
import type { RawSweeps, SweepArrays, SweepText } from "./source.ts";
import { columnName, headWords, readNumbers, tableNumber } from "./table_row.ts";

const R = SWEEP_ROWS, P = SWEEP_CELLS;

/** Sweeps ready for a fit, and what the output says of their rows. */
export interface ReadSweeps {
  /** Short sweeps are padded with rows whose energy is NaN. */
  readonly batch: SweepBatch;
  /** Per sweep: the rows of the file, as they are written there. */
  readonly utc: readonly (readonly string[])[];
  readonly time: readonly (readonly string[])[];
  /** Per sweep: why it is not to be fitted; null: it is. Its numbers are then NaN. */
  readonly faults: readonly (string | null)[];
  /** Per sweep: 1, 0, or −1 where unknown. */
  readonly sunlit: readonly number[];
}

/**
 * Makes the arrays.
 *
 * @param fill - `missing`: cells with a fill value in flux or azimuth become NaN; `reference`: they are left as they are
 */
export function readSweeps(raw: RawSweeps, theta: Float64Array, fill: "missing" | "reference"): ReadSweeps {
  const read = raw.content.kind === "text" ? fromText(raw, raw.content, theta) : fromArrays(raw, raw.content);
  if (fill === "missing") dropFills(read.batch);
  return read;
}

function fromText({ heads }: RawSweeps, content: SweepText, theta: Float64Array): ReadSweeps {
  const n = heads.length, { text, starts, lines } = content;
  const nan = (size: number) => new Float64Array(size).fill(NaN);
  const batch: SweepBatch = {
    count: n,
    rows: R,
    cells: P,
    energy: nan(n * R),
    theta,
    phi: nan(n * R * P),
    flux: nan(n * R * P),
    field: nan(n * R * 3),
    polarity: nan(n * R),
    uSpacecraft: nan(n * R),
  };
  const utc: string[][] = [], time: string[][] = [], faults: (string | null)[] = [];
  let row = 0;
  heads.forEach(({ rows, path }, i) => {
    let fault = rows > R ? `${rows} rows, at most ${R} expected` : null;
    const own = { utc: [] as string[], time: [] as string[] };
    for (let r = 0; r < rows; r++, row++) {
      const [start, end] = [starts[row], starts[row + 1]];
      const words = headWords(text, start, end);
      own.utc.push(words[0]);
      own.time.push(words[1]);
      if (fault !== null) continue;
      const at = i * R + r;
      batch.energy[at] = tableNumber(words[2])!;
      for (let k = 0; k < 3; k++) batch.field[3 * at + k] = tableNumber(words[4 + k])!;
      const cells = [at * P, (at + 1) * P] as const;
      const bad = readNumbers(text, start, end, batch.flux.subarray(...cells), batch.phi.subarray(...cells));
      if (bad !== null) {
        fault = `${path}: line ${lines[row]}: ${columnName(bad.column)} is "${bad.text}", expected a number`;
      }
    }
    if (fault !== null) blank(batch, i);
    utc.push(own.utc);
    time.push(own.time);
    faults.push(fault);
  });
  return { batch, utc, time, faults, sunlit: new Array(n).fill(-1) };
}

function fromArrays({ heads }: RawSweeps, { batch, utc, sunlit }: SweepArrays): ReadSweeps {
  const rows = heads.map((_, i) => utc.slice(i * R, (i + 1) * R));
  return { batch, utc: rows, time: rows, faults: heads.map(() => null), sunlit };
}

/** Takes the data of a sweep away. */
function blank(batch: SweepBatch, i: number): void {
  batch.energy.fill(NaN, i * R, (i + 1) * R);
  batch.flux.fill(NaN, i * R * P, (i + 1) * R * P);
}

function dropFills({ flux, phi }: SweepBatch): void {
  for (let k = 0; k < flux.length; k++) {
    for (const fill of [FILL.missing, FILL.error]) {
      if (flux[k] === fill.flux || phi[k] === fill.phi) flux[k] = NaN;
    }
  }
}
