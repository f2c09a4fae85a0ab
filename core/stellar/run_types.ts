/** What a run of fits is asked, and what it tells. */
import type { ChosenTargets } from "../run_targets.ts";
import type { FitJob } from "./batch.ts";
import type { FitOptions } from "./options.ts";
import type { StarResult } from "./result.ts";

export interface FitRequest {
  readonly inputs: readonly string[];
  /** Path of the template library. */
  readonly library: string;
  readonly outputDir: string;
  readonly options: FitOptions;
  /** Only rows whose largest S/N per pixel exceeds this. */
  readonly minSn: number | null;
  readonly targetids: readonly bigint[] | null;
  /** `wasm`, or what the caller's `choose` understands: `auto`, `cuda`, `cuda:0,2`, `emulated`. */
  readonly target: string;
  /** WASM workers at most; 0 = in this thread. */
  readonly workers: number;
  /**
   * Stars sent to a worker at a time, at most; null = what suits the target. Answers do not depend on it, nor on the
   * workers.
   */
  readonly batch: number | null;
  readonly overwrite: boolean;
  /** Leave inputs alone whose output is there. */
  readonly skipExisting: boolean;
  /** For the headers. */
  readonly commandLine: string;
}

/** @param stars - to be fitted in all; @throws where the target asked for is absent */
export type ChooseTargets = (target: string, stars: number) => ChosenTargets<FitJob>;

export interface FitEvents {
  /** Everything is checked; stars in all, and those a run before has finished. */
  onStart?(
    total: number,
    alreadyDone: number,
    about: { target: string; workers: number; batch: number; library: string },
  ): void;
  onProgress?(done: number, total: number): void;
  onFile?(summary: FileSummary): void;
  onNotice?(level: "debug" | "info" | "warning", text: string): void;
}

export interface FileSummary {
  readonly input: string;
  readonly rvtab: string | null;
  readonly rvmod: string | null;
  /** Stars with an answer of the fit, bad spectra included. */
  readonly fitted: number;
  /** Rows without one, for reasons outside the data. */
  readonly failed: { row: number; why: string }[];
  /** The output was there already. */
  readonly skipped: boolean;
  readonly seconds: number;
  /** Seconds by stage, summed over workers; `read` and `write` are those of this thread. */
  readonly stages: Record<string, number>;
  /** In the order of RVTAB; of the first 20 000 stars of a run. */
  readonly results: StarResult[];
  readonly targetids: bigint[];
}
