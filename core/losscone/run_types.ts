/** What a run over sweeps is asked, and what it tells. */
import type { InputOptions, OnNotice } from "./input/source.ts";
import type { KappaOptions } from "./kappa_options.ts";
import type { PotentialChoice, Wanted } from "./losscone_station.ts";
import type { LossconeOptions } from "./options.ts";
import type { SweepRecord } from "./record.ts";

export interface LossconeRequest {
  readonly wanted: Wanted;
  /** An NPZ, or tables and folders of them. */
  readonly inputs: readonly string[];
  readonly input: InputOptions;
  /** File of the ephemeris; null: none. */
  readonly ephemeris: string | null;
  readonly options: LossconeOptions;
  readonly kappa: KappaOptions;
  readonly potential: PotentialChoice;
  /** NPZ to write; the FITS table goes beside it. */
  readonly out: string;
  /** `wasm`, or what the caller's `choose` understands: `auto`, `cuda`, `cuda:0,2`, `emulated`. */
  readonly target: string;
  /** WASM workers at most; 0 = in this thread. */
  readonly workers: number;
  /** Sweeps sent to a worker at a time, at most; null = what suits the target. Answers do not depend on it. */
  readonly batch: number | null;
  readonly overwrite: boolean;
  /** For the provenance. */
  readonly commandLine: string;
}

export interface LossconeEvents {
  /** Everything is checked; sweeps in all, and those a run before has finished. */
  onStart?(
    total: number,
    alreadyDone: number,
    about: { readonly target: string; readonly workers: number; readonly batch: number },
  ): void;
  onProgress?(done: number, total: number): void;
  readonly onNotice?: OnNotice;
}

export interface LossconeSummary {
  readonly npz: string;
  readonly fits: string;
  readonly inputs: readonly string[];
  readonly sweeps: number;
  /** Sweeps with an answer. */
  readonly fitted: number;
  /** Sweeps that could not be fitted for reasons outside the data. */
  readonly failed: readonly { readonly specNo: number; readonly why: string }[];
  /** How often each reason was given. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly identifiable: number;
  /** The first sweeps of the run, for people. */
  readonly first: readonly SweepRecord[];
  readonly seconds: number;
}
