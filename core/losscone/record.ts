/** All that the output says of a sweep: what a worker answers, and what the journal keeps. */
import type { RowPlace } from "./geometry/places.ts";
import type { KappaResult } from "./kappa_result.ts";
import type { SweepResult } from "./result.ts";

/** Where the potential of the spacecraft is from. */
export interface PotentialSource {
  /** V, per row; NaN: none. */
  readonly volts: readonly number[];
  /** Of the fit of the potential; "" where it was given. */
  readonly reason: string;
}

export interface SweepRecord {
  readonly specNo: number;
  readonly path: string;
  /** Per row of the file. */
  readonly utc: readonly string[];
  readonly time: readonly string[];
  readonly places: readonly RowPlace[];
  readonly polarity: readonly number[];
  readonly potential: PotentialSource;
  /** Of the incident electrons; null where it was not asked for. */
  readonly kappa: KappaResult | null;
  /** eV, far from the spacecraft; NaN where no kappa fit was asked for. */
  readonly temperature: number;
  /** Null where only the kappa distribution was asked for, or the sweep could not be fitted. */
  readonly fit: SweepResult | null;
  /** Why there is the answer that there is: "fitted", or one sentence. */
  readonly reason: string;
}

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** Bytes of a record for the journal. */
export function encodeRecord(record: SweepRecord): Uint8Array {
  // JSON has no NaN: a word stands for it, for null is a value of its own.
  return encoder.encode(JSON.stringify(record, (_, value) => Number.isNaN(value) ? "NaN" : value));
}

/** The record that the bytes are of. */
export function decodeRecord(bytes: Uint8Array): SweepRecord {
  return JSON.parse(decoder.decode(bytes), (_, value) => value === "NaN" ? NaN : value);
}

/** Why there is no answer, in the run's own words, beside those of the fits. */
export type Unfitted = { readonly specNo: number; readonly why: string };
