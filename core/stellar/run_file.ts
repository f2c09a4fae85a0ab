/** The fit of one file: its rows through the fleet into the journal, the journal into the output. */
import { batches } from "../batches.ts";
import type { Fleet } from "../fleet.ts";
import { JobError } from "../fleet.ts";
import { InputError } from "../io/input_error.ts";
import type { ArmRows, SpectrumFile } from "../io/spectra.ts";
import type { FitBatch, FitJob } from "./batch.ts";
import { type FinishedStar, StarJournal } from "./journal.ts";
import { type OutputPlan, writeOutputs } from "./output.ts";
import type { BatchResult, StarResult } from "./result.ts";
import type { FileSummary } from "./run_types.ts";
import { jointSn, measuredSn, NO_SN, scoredSn } from "./selection.ts";
import { unfittedStar } from "./warnings.ts";

export type FitFleet = Fleet<FitJob, FitBatch, BatchResult>;

export interface FileTask {
  readonly plan: OutputPlan;
  readonly stars: readonly (readonly number[])[];
  readonly job: FitJob;
  readonly batch: number;
  readonly signal: AbortSignal;
  onDone(stars: number): void;
  onNotice(level: "debug" | "info" | "warning", text: string): void;
}

/** @throws the reason of the signal where it aborts: what is done is in the journal */
export async function fitFile(fleet: FitFleet, task: FileTask): Promise<FileSummary> {
  const began = performance.now();
  const { plan, stars, job, signal } = task;
  const { paths, file, arms, library } = plan;
  const npix = arms.map((arm) => file.arms[arm].lam.length);
  const journal = openJournal(task, npix);
  try {
    const stages: Record<string, number> = { read: 0, write: 0 };
    const failures = new Map<number, string>();
    const reader = new BatchReader(plan, stars);
    const load = (items: readonly number[]) => timed(stages, "read", () => reader.read(items));
    const groups = batches(stars.length, task.batch, (star) => journal.has(star));
    try {
      for await (
        const { items, result, failure } of fleet.run(job, groups, load, { signal, asCompleted: true })
      ) {
        if (result === undefined) {
          for (const star of items) {
            failures.set(star, failure);
            task.onNotice(
              "debug",
              `${paths.input}: row ${stars[star].join(", ")} could not be fitted: ${failure}`,
            );
          }
        } else {
          timed(stages, "write", () => journal.append(finished(items, result, stars, npix)));
          for (const [stage, seconds] of Object.entries(result.seconds)) {
            stages[stage] = (stages[stage] ?? 0) + seconds;
          }
        }
        task.onDone(items.length);
      }
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      if (error.causeName === "InputError") throw new InputError(`${paths.input}: ${error.message}`);
      throw new Error(`${paths.input}: ${error.causeName}: ${error.message}`);
    }
    const results = stars.map((rows, star): StarResult =>
      journal.result(star) ?? unfittedStar(rows, library.axes.length, reader.sn(star))
    );
    timed(stages, "write", () => writeOutputs(plan, results, (star, arm) => journal.model(star, arm)));
    journal.remove();
    const ids = file.fibermap.has("TARGETID") ? file.fibermap.int64("TARGETID") : null;
    return {
      input: paths.input,
      rvtab: paths.rvtab,
      rvmod: paths.rvmod,
      fitted: stars.length - failures.size,
      failed: [...failures].sort(([a], [b]) => a - b).map(([star, why]) => ({ row: stars[star][0], why })),
      skipped: false,
      seconds: (performance.now() - began) / 1000,
      stages,
      results,
      targetids: stars.map(([row]) => ids?.[row] ?? -1n),
    };
  } catch (error) {
    if (journal.done === 0) journal.remove();
    else journal.close();
    throw error;
  }
}

function openJournal(task: FileTask, npix: readonly number[]): StarJournal {
  const { paths, identity, library } = task.plan;
  const shape = { stars: task.stars, npix, axes: library.axes.length };
  return new StarJournal(paths.journal, identity, shape, (text) => task.onNotice("warning", text));
}

/** Takes the answer of a batch apart into stars. @throws Error where it is not the answer to that batch */
function finished(
  items: readonly number[],
  result: BatchResult,
  stars: readonly (readonly number[])[],
  npix: readonly number[],
): FinishedStar[] {
  if (result.stars.length !== items.length) {
    throw new Error(`a batch of ${items.length} stars came back with ${result.stars.length}`);
  }
  let row = 0;
  return items.map((star, i) => {
    const first = row;
    row += stars[star].length;
    const models = npix.map((n, arm) => result.models[arm].subarray(first * n, row * n));
    return { star, result: result.stars[i], models };
  });
}

/** Reads the pixels of stars, and their S/N. */
class BatchReader {
  readonly #file: SpectrumFile;
  readonly #arms: readonly number[];
  readonly #stars: readonly (readonly number[])[];
  readonly #resolution: boolean;
  readonly #scored: readonly (Float64Array | null)[];
  readonly #sn = new Map<number, readonly number[]>();

  constructor({ file, arms, options }: OutputPlan, stars: readonly (readonly number[])[]) {
    this.#file = file;
    this.#arms = arms;
    this.#stars = stars;
    this.#resolution = options.resolutionMatrix;
    this.#scored = arms.map((arm) => scoredSn(file.scores, file.arms[arm].arm, file.rows));
  }

  read(items: readonly number[]): { batch: FitBatch; transfer: Transferable[] } {
    const rows = items.map((star) => this.#stars[star]);
    const all = rows.flat();
    const pixels = this.#arms.map((arm) =>
      this.#file.read(arm, all, this.#resolution && this.#file.arms[arm].ndiag > 0)
    );
    const byRow = this.#arms.map((arm, a) => {
      const npix = this.#file.arms[arm].lam.length;
      return all.map((row, i) => this.#scored[a]?.[row] ?? measuredSn(pixels[a], i, npix));
    });
    let first = 0;
    const sn = rows.map((star, i) => {
      const values = byRow.map((values) => jointSn(values.slice(first, first + star.length)));
      first += star.length;
      this.#sn.set(items[i], values);
      return values;
    });
    return { batch: { rows, sn, pixels }, transfer: ownBuffers(pixels) };
  }

  /** S/N per arm of a star that was read. */
  sn(star: number): readonly number[] {
    return this.#sn.get(star) ?? this.#arms.map(() => NO_SN);
  }
}

/** Buffers that hold nothing but the pixels, and so can be handed over. */
function ownBuffers(pixels: readonly ArmRows[]): Transferable[] {
  const arrays = pixels.flatMap(({ flux, ivar, mask, resolution }) => [flux, ivar, mask, resolution]);
  const own = arrays.filter((array) =>
    array !== null && array.buffer instanceof ArrayBuffer && array.byteLength === array.buffer.byteLength
  );
  return [...new Set(own.map((array) => array!.buffer as ArrayBuffer))];
}

function timed<T>(stages: Record<string, number>, stage: string, action: () => T): T {
  const began = performance.now();
  try {
    return action();
  } finally {
    stages[stage] = (stages[stage] ?? 0) + (performance.now() - began) / 1000;
  }
}
