/** A run of fits over many files, one fleet for all; what it stands on is handed in, so that tests can replace it. */
import { existsSync } from "node:fs";
import { spread } from "../batches.ts";
import { Fleet } from "../fleet.ts";
import { InputError } from "../io/input_error.ts";
import type { SpectrumFile } from "../io/spectra.ts";
import type { BatchResult } from "./result.ts";
import type { FitBatch, FitJob } from "./batch.ts";
import { journalIdentity } from "../journal.ts";
import { openFolders, removeTemporary } from "../output_folder.ts";
import { lockOutput } from "../output_lock.ts";
import { fleetOptions } from "../run_targets.ts";
import { StarJournal } from "./journal.ts";
import type { OutputPlan } from "./output.ts";
import { findRedshifts } from "./output_redrock.ts";
import { fitFile } from "./run_file.ts";
import { type FitLibrary, JobMaker, type Preparation } from "./run_jobs.ts";
import {
  checkOptions,
  chooseArms,
  chooseStars,
  distinctInputs,
  identityOf,
  planFiles,
  type PlannedFile,
} from "./run_plan.ts";
import type { ChooseTargets, FileSummary, FitEvents, FitRequest } from "./run_types.ts";

type MaybePromise<T> = T | Promise<T>;

export interface FitParts extends Preparation {
  openSpectra(path: string): MaybePromise<SpectrumFile>;
  openLibrary(path: string): MaybePromise<FitLibrary>;
  readonly choose: ChooseTargets;
}

/** Files kept open from the check to the fit. */
const KEPT_OPEN = 4;

interface Ready extends PlannedFile {
  /** Open already; null = to be opened again. */
  file: SpectrumFile | null;
  readonly arms: readonly number[];
  readonly npix: readonly number[];
  readonly labels: readonly string[];
  readonly stars: readonly (readonly number[])[];
  identity: string;
}

/** Fits files with the given parts: readers, library, workers. See fitFiles in run.ts. */
export async function fitFilesWith(
  parts: FitParts,
  request: FitRequest,
  events: FitEvents,
  signal?: AbortSignal,
): Promise<FileSummary[]> {
  const notice = (level: "debug" | "info" | "warning", text: string) => events.onNotice?.(level, text);
  const closers: (() => void)[] = [];
  try {
    const inputs = distinctInputs(request.inputs, (text) => notice("warning", text));
    const planned = planFiles(request, inputs, (text) => notice("info", text));
    const library = await parts.openLibrary(request.library);
    closers.push(() => library.close?.());
    checkOptions(request.options, library);
    const maker = new JobMaker(library, request.options, parts);
    const ready: Ready[] = [];
    for (const [i, plan] of planned.entries()) {
      if (plan.skip && existsSync(plan.paths.input)) {
        ready.push({ ...plan, file: null, arms: [], labels: [], npix: [], stars: [], identity: "" });
        continue;
      }
      const file = await parts.openSpectra(plan.paths.input);
      closers.push(() => file.close());
      const arms = chooseArms(file, request.options);
      const stars = chooseStars(file, arms, request);
      if (maker.roomy) await maker.make(file, arms);
      const npix = arms.map((arm) => file.arms[arm].lam.length);
      const labels = arms.map((arm) => file.arms[arm].arm);
      const keep = i < KEPT_OPEN;
      if (!keep) file.close();
      ready.push({ ...plan, file: keep ? file : null, arms, labels, npix, stars, identity: "" });
      signal?.throwIfAborted();
    }
    openFolders(planned.filter(({ skip }) => !skip).map(({ paths }) => paths.rvtab));
    const total = ready.reduce((sum, { stars }) => sum + stars.length, 0);
    const chosen = parts.choose(request.target, total);
    for (const one of ready) {
      if (one.skip) continue;
      one.identity = identityOf(
        one.paths.input,
        one.labels,
        one.stars,
        library,
        request.options,
        chosen.kind,
      );
    }
    let done = 0;
    // Refused now where another run writes; locked again, each for its own time, when its turn comes.
    for (const one of ready) {
      if (one.skip) continue;
      const unlock = lockOutput(one.paths.rvtab, (text) => notice("warning", text));
      try {
        removeTemporary([one.paths.rvtab, one.paths.rvmod]);
        done += doneBefore(one, library.axes.length);
      } finally {
        unlock();
      }
    }
    const most = request.batch ?? chosen.batch;
    const devices = chosen.targets.length;
    const { batch, workers } = devices > 0
      ? { batch: most, workers: devices }
      : spread(total - done, most, request.workers);
    const fleet = new Fleet<FitJob, FitBatch, BatchResult>({
      ...fleetOptions(chosen, workers),
      onNotice: notice,
    });
    closers.push(() => fleet.close());
    const target = await fleet.start();
    events.onStart?.(total, done, { target, workers, batch: most, library: library.name });
    if (chosen.note !== null) notice("info", chosen.note);

    // One failure that is not of single rows ends the run: the other files stop as on an abort.
    const stop = new AbortController();
    const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const fit = async (one: Ready): Promise<FileSummary> => {
      if (one.skip) return skipped(one);
      const unlock = lockOutput(one.paths.rvtab);
      try {
        if (!request.overwrite && existsSync(one.paths.rvtab)) {
          throw new InputError(`${one.paths.rvtab}: another run has written it meanwhile`);
        }
        return await fitLocked(one);
      } finally {
        unlock();
      }
    };
    const fitLocked = async (one: Ready): Promise<FileSummary> => {
      const file = one.file ?? await parts.openSpectra(one.paths.input);
      try {
        const plan: OutputPlan = {
          paths: one.paths,
          file,
          arms: one.arms,
          library,
          libraryPath: request.library,
          options: request.options,
          minSn: request.minSn,
          commandLine: request.commandLine,
          target,
          identity: one.identity,
          redshifts: findRedshifts(one.paths.input, (text) => notice("warning", text)),
        };
        const job = await maker.make(file, one.arms);
        const onDone = (stars: number) => events.onProgress?.(done += stars, total);
        return await fitFile(fleet, {
          plan,
          stars: one.stars,
          job,
          batch: Math.min(batch, chosen.perBatch?.(job) ?? Infinity),
          signal: both,
          onDone,
          onNotice: notice,
        });
      } finally {
        file.close();
        one.file = null;
      }
    };
    let room = KEPT_ANSWERS;
    return await inParallel(ready, workers + 1, async (one) => {
      both.throwIfAborted();
      try {
        const whole = await fit(one);
        const summary = {
          ...whole,
          results: whole.results.slice(0, room),
          targetids: whole.targetids.slice(0, room),
        };
        room -= summary.results.length;
        events.onFile?.(summary);
        return summary;
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    });
  } finally {
    for (const close of closers.reverse()) close();
  }
}

/** Answers that a run keeps in memory for its summaries; the others are in the output alone. */
const KEPT_ANSWERS = 20_000;

/** Maps with at most `width` under way; where one fails, the first failure is thrown when all have stopped. */
async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const out: R[] = new Array(items.length);
  let next = 0;
  let failure: { reason: unknown } | null = null;
  const lane = async () => {
    while (next < items.length && failure === null) {
      const i = next++;
      try {
        out[i] = await map(items[i]);
      } catch (reason) {
        failure ??= { reason };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  if (failure !== null) throw (failure as { reason: unknown }).reason;
  return out;
}

/** Stars of a file that a killed run has finished. */
function doneBefore({ paths, skip, npix, stars, identity }: Ready, axes: number): number {
  if (skip || journalIdentity(paths.journal) !== identity) return 0;
  using journal = new StarJournal(paths.journal, identity, { stars, npix, axes });
  return journal.done;
}

function skipped({ paths }: Ready): FileSummary {
  return {
    input: paths.input,
    rvtab: paths.rvtab,
    rvmod: paths.rvmod,
    fitted: 0,
    failed: [],
    skipped: true,
    seconds: 0,
    stages: {},
    results: [],
    targetids: [],
  };
}
