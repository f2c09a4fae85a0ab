/**
 * A run over sweeps: inputs → fleet → journal → outputs. Memory: a few places a row of the input, the batches under way
 * (20 kB a sweep, two batches a worker) and one pass of the output's columns (256 MiB); an NPZ input is held whole.
 */
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { batches, spread } from "../batches.ts";
import { Fleet, JobError } from "../fleet.ts";
import { canonical } from "../identity.ts";
import { InputError } from "../io/input_error.ts";
import { readNpz } from "../io/npy.ts";
import { Journal, journalIdentity } from "../journal.ts";
import { openFolders, removeTemporary } from "../output_folder.ts";
import { lockOutput } from "../output_lock.ts";
import { fleetOptions } from "../run_targets.ts";
import { VERSION } from "../stellar/output_version.ts";
import { type Ephemeris, readEphemeris } from "./geometry/ephemeris.ts";
import { openSweeps } from "./input/open_sweeps.ts";
import { readSweeps } from "./input/prepare.ts";
import type { OnNotice, RawSweeps, SweepSource } from "./input/source.ts";
import { type LossconeAnswer, type LossconeJob, unfitted } from "./losscone_station.ts";
import { fitColumns, hasFit, kappaColumns, rowColumns } from "./output/columns.ts";
import type { Provenance, Records } from "./output/records.ts";
import { writeFitsOutput } from "./output/write_fits.ts";
import { writeNpzOutput } from "./output/write_npz.ts";
import { decodeRecord, encodeRecord, type SweepRecord } from "./record.ts";
import type { LossconeEvents, LossconeRequest, LossconeSummary } from "./run_types.ts";
import { type ChooseLosscone, lossconeOnWasm } from "./wasm_targets.ts";

/** Sweeps that the summary holds. */
const SHOWN = 40;

/** Where a run writes. */
export function outputPaths(out: string): { npz: string; fits: string; journal: string } {
  if (!/\.npz$/i.test(out)) throw new InputError(`--out ${out}: must end in .npz`);
  return { npz: out, fits: out.replace(/\.npz$/i, ".fits"), journal: `${out}.journal` };
}

/**
 * Fits sweeps and writes an NPZ and a FITS table. Everything is checked before any work. Finished batches are kept in a
 * journal beside the output: after an abort or a kill the same request goes on from there.
 *
 * @param choose - where to run what `request.target` names; without it, on WASM
 * @throws InputError for faults of input or usage; the reason of the signal after an abort
 */
export async function fitSweeps(
  request: LossconeRequest,
  events: LossconeEvents = {},
  signal?: AbortSignal,
  choose: ChooseLosscone = lossconeOnWasm,
): Promise<LossconeSummary> {
  const notice: OnNotice = (level, text) => events.onNotice?.(level, text);
  const paths = outputPaths(request.out);
  const ephemeris = request.ephemeris === null ? null : readEphemeris(request.ephemeris);
  refuseOverwriting(paths, request);
  const source = openSweeps(request.inputs, request.input, notice);
  try {
    sayWhatIsMissing(source, request, notice);
    openFolders([paths.npz]);
    const unlock = lockOutput(paths.npz, (text) => notice("warning", text));
    try {
      removeTemporary([paths.npz, paths.fits]);
      return await fitLocked({ request, source, ephemeris, paths, choose, events, notice, signal });
    } finally {
      unlock();
    }
  } finally {
    source.close();
  }
}

interface Ready {
  readonly request: LossconeRequest;
  readonly source: SweepSource;
  readonly ephemeris: Ephemeris | null;
  readonly paths: ReturnType<typeof outputPaths>;
  readonly choose: ChooseLosscone;
  readonly events: LossconeEvents;
  readonly notice: OnNotice;
  readonly signal: AbortSignal | undefined;
}

async function fitLocked(ready: Ready): Promise<LossconeSummary> {
  const { request, source, paths, events, notice, signal } = ready;
  const began = performance.now();
  const chosen = ready.choose(request.target, source.sweeps);
  const identity = identityOf(request, source, chosen.kind);
  const job = jobOf(request, source, ready.ephemeris);
  using journal = new Journal(paths.journal, identity, source.sweeps, (text) => notice("warning", text));
  const before = journal.done;
  const most = Math.min(request.batch ?? chosen.batch, chosen.perBatch?.(job) ?? Infinity);
  const devices = chosen.targets.length;
  const { batch, workers } = devices > 0
    ? { batch: most, workers: devices }
    : spread(source.sweeps - before, most, request.workers);
  const fleet = new Fleet<LossconeJob, RawSweeps, LossconeAnswer>({
    ...fleetOptions(chosen, workers),
    onNotice: notice,
  });
  const failures = new Map<number, string>();
  try {
    const target = await fleet.start();
    if (chosen.note !== null) notice("info", chosen.note);
    events.onStart?.(source.sweeps, before, { target, workers, batch });
    let done = before;
    const groups = batches(source.sweeps, batch, (sweep) => journal.has(sweep));
    const load = (sweeps: readonly number[]) => source.load(sweeps);
    const options = { asCompleted: true, ...(signal === undefined ? {} : { signal }) };
    for await (const { items, result, failure } of fleet.run(job, groups, load, options)) {
      if (result === undefined) { for (const sweep of items) failures.set(sweep, failure); }
      else journal.append(finished(items, result));
      events.onProgress?.(done += items.length, source.sweeps);
    }
    const records = recordsOf(source, journal, failures, job);
    const provenance: Provenance = {
      program: "twinspec",
      version: VERSION,
      command: request.commandLine,
      target,
      inputs: source.paths,
      options: optionsOf(request),
      identity,
    };
    await writeOutputs(request, paths, records, provenance);
    const summary = summaryOf(source, records, failures);
    journal.remove();
    return { ...summary, npz: paths.npz, fits: paths.fits, seconds: (performance.now() - began) / 1000 };
  } catch (error) {
    if (journal.done === 0) journal.remove();
    if (error instanceof JobError) {
      if (error.causeName === "InputError") throw new InputError(error.message);
      throw new Error(`${error.causeName}: ${error.message}`);
    }
    throw error;
  } finally {
    fleet.close();
  }
}

async function writeOutputs(
  { wanted, options }: LossconeRequest,
  paths: ReturnType<typeof outputPaths>,
  records: Records,
  provenance: Provenance,
): Promise<void> {
  const lillis = wanted === "losscone" && options.method === "lillis";
  const intervals = wanted === "losscone";
  const sweepColumns = intervals ? fitColumns(options) : kappaColumns();
  // The NPZ comes last: where it is there, the run is complete.
  writeFitsOutput({ path: paths.fits, columns: sweepColumns, intervals, provenance }, records);
  await writeNpzOutput({
    path: paths.npz,
    rowColumns: intervals ? rowColumns(lillis) : [],
    sweepColumns,
    intervals,
    lillis,
    provenance,
  }, records);
}

/** @throws Error where it is not the answer to that batch */
function finished(items: readonly number[], result: LossconeAnswer) {
  if (result.length !== items.length) {
    throw new Error(`a batch of ${items.length} sweeps came back with ${result.length}`);
  }
  return items.map((item, i) => ({ item, bytes: encodeRecord(result[i]) }));
}

/** The sweeps as the outputs want them: from the journal, or, where one failed, as it was read. */
function recordsOf(
  source: SweepSource,
  journal: Journal,
  failures: ReadonlyMap<number, string>,
  job: LossconeJob,
): Records {
  let rows = 0;
  for (let sweep = 0; sweep < source.sweeps; sweep++) rows += source.head(sweep).rows;
  const read = (sweep: number): SweepRecord => {
    const bytes = journal.read(sweep);
    if (bytes !== null) return decodeRecord(bytes);
    const raw = source.load([sweep]).batch;
    const record = unfitted(raw, readSweeps(raw, job.theta, "missing"), 0);
    return { ...record, reason: failures.get(sweep) ?? "not fitted" };
  };
  return { sweeps: source.sweeps, rows, read };
}

function summaryOf(source: SweepSource, records: Records, failures: ReadonlyMap<number, string>) {
  const reasons: Record<string, number> = {};
  const first: SweepRecord[] = [];
  let fitted = 0, identifiable = 0;
  for (let sweep = 0; sweep < records.sweeps; sweep++) {
    const record = records.read(sweep);
    if (first.length < SHOWN) first.push(record);
    if (hasFit(record) || Number.isFinite(record.kappa?.kappa ?? NaN)) fitted++;
    if (record.fit?.identifiable) identifiable++;
    const reason = Object.keys(reasons).length < 100 ? record.reason : "other";
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  const failed = [...failures].sort(([a], [b]) => a - b).map(([sweep, why]) => ({
    specNo: source.head(sweep).specNo,
    why,
  }));
  return { inputs: source.paths, sweeps: records.sweeps, fitted, identifiable, failed, reasons, first };
}

/** What a request asks of the workers. */
export type Asked = Pick<LossconeRequest, "wanted" | "options" | "kappa" | "potential" | "input">;

/** The job of a run. */
export function jobOf(asked: Asked, source: SweepSource, ephemeris: Ephemeris | null): LossconeJob {
  return {
    wanted: asked.wanted,
    options: asked.options,
    kappa: asked.kappa,
    potential: potentialOf(asked, source),
    theta: source.theta,
    polarity: asked.input.polarity ?? (source.knows.polarity || ephemeris !== null ? null : -1),
    ephemeris,
  };
}

/** Without any, 0 V. */
function potentialOf({ potential }: Asked, source: SweepSource): LossconeJob["potential"] {
  return potential.kind === "input" && !source.knows.potential ? { kind: "constant", volts: 0 } : potential;
}

function sayWhatIsMissing(source: SweepSource, request: LossconeRequest, notice: OnNotice): void {
  const { knows } = source, { input, ephemeris, potential, wanted } = request;
  if (source.sweeps === 0) throw new InputError(`${source.paths[0]}: holds no sweep that could be fitted`);
  if (ephemeris !== null && !knows.time) {
    throw new InputError(`${source.paths[0]}: has no utc, which --ephemeris needs; add the key utc`);
  }
  if (ephemeris !== null && input.polarity !== null) {
    throw new InputError("--ephemeris and --polarity contradict each other; give one of them");
  }
  if (ephemeris === null) {
    if (!knows.polarity && input.polarity === null) {
      notice(
        "warning",
        "neither --ephemeris nor --polarity was given: polarity −1 is assumed, −B towards the Moon",
      );
    }
    if (wanted === "losscone") {
      notice("info", "no --ephemeris: places over the Moon are not known, they are NaN");
    }
    if (potential.kind === "fit") {
      notice("warning", "no --ephemeris: sweeps are taken to be in sunlight for the spacecraft potential");
    }
  }
  if (potential.kind === "input" && !knows.potential) {
    notice(
      "warning",
      "the spacecraft potential is taken to be 0 V; give --u-spacecraft V or --spacecraft-potential fit",
    );
  }
}

/** Options that change an answer. */
function optionsOf({ wanted, options, kappa, potential, input }: LossconeRequest) {
  return { wanted, options, kappa, potential, input };
}

/** SHA-256 of everything that changes an answer, hexadecimal. */
function identityOf(request: LossconeRequest, source: SweepSource, target: string): string {
  const stamp = (path: string) => {
    const { size, mtimeMs } = statSync(path);
    return [resolve(path), size, mtimeMs];
  };
  const parts = {
    program: VERSION,
    target,
    ...optionsOf(request),
    inputs: source.paths.map(stamp),
    theta: [...source.theta],
    ephemeris: request.ephemeris === null ? null : stamp(request.ephemeris),
  };
  return createHash("sha256").update(canonical(parts)).digest("hex");
}

/** @throws InputError where an output is there and is not to be replaced */
function refuseOverwriting(paths: ReturnType<typeof outputPaths>, { overwrite }: LossconeRequest): void {
  if (overwrite) return;
  const journal = existsSync(paths.journal) ? journalIdentity(paths.journal) : null;
  if (existsSync(paths.npz)) {
    const complete = journal !== null && identityIn(paths.npz) === journal;
    throw new InputError(
      complete
        ? `${paths.npz}: is complete already; give --overwrite to fit again`
        : `${paths.npz}: exists already; give --overwrite to replace it`,
    );
  }
  if (existsSync(paths.fits) && journal === null) {
    throw new InputError(`${paths.fits}: exists already; give --overwrite to replace it`);
  }
}

/** The identity of the run that an output is of. */
function identityIn(npz: string): string | null {
  try {
    const [text] = readNpz(npz, ["provenance"]).get("provenance")!.data as string[];
    return JSON.parse(text).identity ?? null;
  } catch {
    return null;
  }
}
