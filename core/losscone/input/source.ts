/** Where sweeps come from, whatever the file: what a run asks of it, and what is posted to a worker. */
import type { SweepBatch } from "../sweep.ts";

/** Rows of a 3-D table as text, to be parsed where the sweep is fitted. */
export interface SweepText {
  readonly kind: "text";
  /** Rows end to end; a line end counts as a blank. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** Where each row begins in `text`, and one more for the end. */
  readonly starts: Int32Array<ArrayBuffer>;
  /** Line of the file that each row is, from 1. */
  readonly lines: Int32Array<ArrayBuffer>;
}

/** Sweeps of an NPZ, with what they say of their time. */
export interface SweepArrays {
  readonly kind: "arrays";
  readonly batch: SweepBatch;
  /** Per row; "" where unknown. */
  readonly utc: readonly string[];
  /** Whether the spacecraft is in sunlight, per sweep: 1, 0, or −1 where unknown. */
  readonly sunlit: readonly number[];
}

/** What is known of a sweep before it is read. */
export interface SweepHead {
  /** Unique in the run. */
  readonly specNo: number;
  /** Rows in the file, 15 unless the sweep is short. */
  readonly rows: number;
  /** File it is from. */
  readonly path: string;
}

/** Some sweeps as they are posted to a worker. */
export interface RawSweeps {
  readonly heads: readonly SweepHead[];
  readonly content: SweepText | SweepArrays;
}

/** All sweeps of a run. */
export interface SweepSource {
  /** Files that are read, in order. */
  readonly paths: readonly string[];
  readonly sweeps: number;
  /** Elevation of the cells, deg, shape (P). */
  readonly theta: Float64Array;
  /** Of the cells, sr, shape (P). */
  readonly solidAngle: Float64Array;
  /** Which of these come with the sweeps. */
  readonly knows: { readonly polarity: boolean; readonly potential: boolean; readonly time: boolean };
  head(sweep: number): SweepHead;
  /** Reads sweeps. @throws InputError where the file has changed meanwhile or cannot be read */
  load(sweeps: readonly number[]): { batch: RawSweeps; transfer: Transferable[] };
  close(): void;
}

/** How inputs are to be read. */
export interface InputOptions {
  /** Only files of these; null = all. */
  readonly year: number | null;
  readonly month: number | null;
  readonly day: number | null;
  /** File of the elevations; null = `theta.tab` beside the table. */
  readonly theta: string | null;
  /** What stands in for the polarity of an NPZ that has none; null = it must have one. */
  readonly polarity: 1 | -1 | null;
}

/** Told of what is odd about an input but no reason to refuse it. */
export type OnNotice = (level: "debug" | "info" | "warning", text: string) => void;
