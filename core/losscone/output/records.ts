/** The finished sweeps of a run, one at a time, in order, as often as an output asks. */
import type { SweepRecord } from "../record.ts";

export interface Records {
  readonly sweeps: number;
  /** Rows of the files, of all sweeps together. */
  readonly rows: number;
  read(sweep: number): SweepRecord;
}

/** All of them. */
export function* eachRecord(records: Records): Generator<SweepRecord> {
  for (let sweep = 0; sweep < records.sweeps; sweep++) yield records.read(sweep);
}

/** What an output says of how it was made. */
export interface Provenance {
  readonly program: string;
  readonly version: string;
  readonly command: string;
  /** What did the arithmetic. */
  readonly target: string;
  readonly inputs: readonly string[];
  readonly options: unknown;
  /** SHA-256 of everything that changes an answer. */
  readonly identity: string;
}
