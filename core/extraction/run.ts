/**
 * Extraction of CCD images: bundles through the fleet into a journal, the journal into a frame. While one image is
 * solved the next is read; at most two are in memory, about 140 MB each, and a worker's bundle beside them.
 */
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { batches } from "../batches.ts";
import { Fleet, JobError } from "../fleet.ts";
import { canonical } from "../identity.ts";
import { FitsFile } from "../io/fits_read.ts";
import { InputError } from "../io/input_error.ts";
import { Journal, journalIdentity } from "../journal.ts";
import { openFolders, removeTemporary } from "../output_folder.ts";
import { lockOutput } from "../output_lock.ts";
import { type ChosenTargets, fleetOptions } from "../run_targets.ts";
import { VERSION } from "../stellar/output_version.ts";
import { barycentricFactor } from "./barycentric.ts";
import { decodeBundle, encodeBundle, keptOf } from "./bundle_record.ts";
import { planBundles, type PlannedBundle } from "./bundles.ts";
import { extractionGrid, type GridRequest } from "./grid.ts";
import {
  type BundleInput,
  type BundleResult,
  type ExtractionBatch,
  type ExtractionJob,
  type ExtractionOptions,
  FLAG,
} from "./job.ts";
import type { Psf } from "./psf.ts";
import { cut, type MaskBits, type Preproc, readPreproc } from "./read_preproc.ts";
import { readPsf } from "./read_psf.ts";
import { bundleCutout } from "./tiling.ts";
import { extractionOnWasm } from "./wasm_targets.ts";
import { type FrameCounts, type FrameHead, writeFrame, writeModel } from "./write_frame.ts";

/** One image and where its frame goes. */
export interface ExtractionFile {
  readonly input: string;
  readonly psf: string;
  readonly output: string;
  /** The pixel model; null: none. */
  readonly model: string | null;
}

export interface ExtractionRequest {
  readonly files: readonly ExtractionFile[];
  /** null: all that the PSF is made for, in steps of 0.8 Å. */
  readonly grid: GridRequest | null;
  readonly specmin: number;
  /** null: all from specmin on. */
  readonly nspec: number | null;
  readonly bundleSize: number;
  readonly maskBits: MaskBits;
  readonly barycentric: boolean;
  readonly float64: boolean;
  readonly options: ExtractionOptions;
  readonly target: string;
  /** WASM workers at most; 0 = in this thread. */
  readonly workers: number;
  readonly overwrite: boolean;
  readonly commandLine: string;
}

export interface ExtractionEvents {
  onStart?(total: number, before: number, about: { target: string; workers: number }): void;
  onProgress?(done: number, total: number): void;
  onFile?(summary: FrameSummary): void;
  onRefused?(image: RefusedImage): void;
  onNotice?(level: "debug" | "info" | "warning", text: string): void;
}

export interface FrameSummary {
  readonly input: string;
  readonly output: string;
  readonly model: string | null;
  readonly fibres: number;
  readonly bins: number;
  readonly counts: FrameCounts;
  /** First fibres of bundles that could not be extracted for reasons outside the data, and why. */
  readonly failed: readonly { readonly firstFibre: number; readonly why: string }[];
  readonly seconds: number;
}

/** An image that could not be extracted for a fault of its own, found only after others had begun. */
export interface RefusedImage {
  readonly input: string;
  /** One sentence, which names the file. */
  readonly why: string;
}

export interface ExtractionOutcome {
  /** Frames that were written, in the order of the request. */
  readonly frames: readonly FrameSummary[];
  readonly refused: readonly RefusedImage[];
}

interface Ready extends ExtractionFile {
  readonly pointSpread: Psf;
  readonly wave: Float64Array;
  readonly bundles: readonly PlannedBundle[];
  readonly nspec: number;
  readonly journal: string;
  identity: string;
}

/**
 * Extracts images. What the layout of the files shows is checked before any work: a fault there ends the run. A fault of
 * one image that only its pixels or keywords show does not stop the others.
 *
 * @throws InputError for faults of input or usage that are found before any work; the reason of the signal after an
 * abort: what is done is kept
 */
export async function extractFiles(
  request: ExtractionRequest,
  events: ExtractionEvents = {},
  signal?: AbortSignal,
  choose: (target: string, bundles: number) => ChosenTargets<ExtractionJob> = extractionOnWasm,
): Promise<ExtractionOutcome> {
  const notice = (level: "debug" | "info" | "warning", text: string) => events.onNotice?.(level, text);
  const psfs = new Map<string, Psf>();
  const ready = request.files.map((file) => plan(request, file, psfs));
  let total = ready.reduce((n, { bundles }) => n + bundles.length, 0);
  const chosen = choose(request.target, total);
  openFolders(ready.flatMap(({ output, model }) => model === null ? [output] : [output, model]));
  const before: number[] = [];
  for (const one of ready) {
    one.identity = identityOf(request, one, chosen.kind);
    const unlock = lockOutput(one.output, (text) => notice("warning", text));
    try {
      removeTemporary([one.output]);
      if (one.model !== null) removeTemporary([one.model]);
      before.push(doneBefore(one));
    } finally {
      unlock();
    }
  }
  let done = before.reduce((n, of) => n + of, 0);
  const devices = chosen.targets.length;
  const workers = devices > 0 ? devices : Math.min(request.workers, Math.max(1, total - done));
  const fleet = new Fleet<ExtractionJob, ExtractionBatch, BundleResult[]>({
    ...fleetOptions(chosen, workers),
    // the emulated device takes minutes for a bundle
    patience: (bundles) => 600_000 + 1_800_000 * bundles,
    onNotice: notice,
  });
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  try {
    const target = await fleet.start();
    events.onStart?.(total, done, { target, workers });
    if (chosen.note !== null) notice("info", chosen.note);
    const frames: (FrameSummary | null)[] = ready.map(() => null);
    const refused: (RefusedImage | null)[] = ready.map(() => null);
    let next = 0, failure: { reason: unknown } | null = null;
    const lane = async () => {
      while (next < ready.length && failure === null) {
        const i = next++, one = ready[i]!;
        let left = one.bundles.length - before[i]!;
        try {
          both.throwIfAborted();
          const summary = await extractOne(request, one, fleet, {
            chosen,
            target,
            signal: both,
            onDone: (n) => {
              left -= n;
              events.onProgress?.(done += n, total);
            },
            notice,
          });
          frames[i] = summary;
          events.onFile?.(summary);
        } catch (reason) {
          if (reason instanceof InputError && !both.aborted) {
            // its own fault: the bundles of the others are not to be lost for it
            refused[i] = { input: one.input, why: reason.message };
            events.onRefused?.(refused[i]!);
            events.onProgress?.(done, total -= left);
            continue;
          }
          failure ??= { reason };
          stop.abort(reason);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(2, ready.length) }, lane));
    if (failure !== null) throw (failure as { reason: unknown }).reason;
    const there = <T>(all: readonly (T | null)[]) => all.filter((one) => one !== null) as T[];
    return { frames: there(frames), refused: there(refused) };
  } finally {
    fleet.close();
  }
}

function plan(request: ExtractionRequest, file: ExtractionFile, psfs: Map<string, Psf>): Ready {
  const output = resolve(file.output), model = file.model === null ? null : resolve(file.model);
  const journal = `${output}.journal`;
  for (const path of model === null ? [output] : [output, model]) {
    if (existsSync(path) && !request.overwrite && !(path === model && existsSync(journal))) {
      throw new InputError(`${path}: exists already; give --overwrite to replace it`);
    }
  }
  if (output === model) throw new InputError(`${output}: the frame and the model cannot be one file`);
  let psf = psfs.get(file.psf);
  if (psf === undefined) psfs.set(file.psf, psf = readPsf(file.psf));
  const wave = extractionGrid(psf, request.grid);
  const nspec = request.nspec ?? psf.fibres - request.specmin;
  const bundles = planBundles(request.specmin, nspec, request.bundleSize, psf.fibres);
  checkImage(file.input, psf);
  return { ...file, output, model, pointSpread: psf, wave, bundles, nspec, journal, identity: "" };
}

/** Looks at the headers alone. @throws InputError where the image is not one of the PSF's CCD */
function checkImage(path: string, psf: Psf): void {
  using file = FitsFile.open(path);
  const hdu = file.find("IMAGE") ?? file.hdus[0]!;
  for (const name of ["IVAR", "MASK"]) file.hdu(name);
  const [rows = 0, columns = 0] = hdu.shape;
  if (rows >= psf.rows && columns >= psf.columns) return;
  throw new InputError(
    `${hdu.where}: has ${rows} × ${columns} pixels, but the PSF ${psf.path} is made for a CCD of ` +
      `${psf.rows} × ${psf.columns}; give the image and the PSF of one camera`,
  );
}

function identityOf(request: ExtractionRequest, one: Ready, target: string): string {
  const { grid, specmin, bundleSize, maskBits, barycentric, options } = request;
  const files = [one.input, one.psf].map((path) => {
    const { size, mtimeMs } = statSync(path);
    return { path: resolve(path), size, mtimeMs };
  });
  const parts = { program: VERSION, target, files, grid, specmin, nspec: one.nspec, bundleSize, maskBits };
  return createHash("sha256").update(canonical({ ...parts, barycentric, options })).digest("hex");
}

/** Bundles of a file that a killed run has finished. */
function doneBefore({ journal, identity, bundles }: Ready): number {
  if (journalIdentity(journal) !== identity) return 0;
  using found = new Journal(journal, identity, bundles.length);
  return found.done;
}

interface Work {
  readonly chosen: ChosenTargets<ExtractionJob>;
  readonly target: string;
  readonly signal: AbortSignal;
  onDone(bundles: number): void;
  notice(level: "debug" | "info" | "warning", text: string): void;
}

async function extractOne(
  request: ExtractionRequest,
  one: Ready,
  fleet: Fleet<ExtractionJob, ExtractionBatch, BundleResult[]>,
  work: Work,
): Promise<FrameSummary> {
  const began = performance.now();
  const { bundles, pointSpread: psf, wave } = one;
  const unlock = lockOutput(one.output);
  try {
    if (!request.overwrite && existsSync(one.output)) {
      throw new InputError(`${one.output}: another run has written it meanwhile`);
    }
    const preproc = readPreproc(one.input, request.maskBits, (text) => work.notice("warning", text));
    const factor = request.barycentric ? barycentricFactor(preproc.header) : null;
    const job: ExtractionJob = {
      psf,
      wave: factor === null ? wave : wave.map((lambda) => lambda / factor),
      options: { ...request.options, model: one.model !== null },
      bundleSize: request.bundleSize,
    };
    const most = Math.min(work.chosen.batch, work.chosen.perBatch?.(job) ?? Infinity);
    const failures = new Map<number, string>();
    const journal = new Journal(
      one.journal,
      one.identity,
      bundles.length,
      (text) => work.notice("warning", text),
    );
    try {
      const load = (items: readonly number[]) =>
        loadBundles(job, preproc, items.map((item) => bundles[item]!));
      const groups = batches(bundles.length, most, (bundle) => journal.has(bundle));
      try {
        const { signal } = work;
        for await (
          const { items, result, failure } of fleet.run(job, groups, load, { signal, asCompleted: true })
        ) {
          if (result === undefined) { for (const item of items) failures.set(item, failure); }
          else {
            journal.append(items.map((item, i) => ({
              item,
              bytes: encodeBundle(keptOf(result[i]!, bundles[item]!)),
            })));
          }
          work.onDone(items.length);
        }
      } catch (error) {
        if (!(error instanceof JobError)) throw error;
        throw new Error(`${one.input}: ${error.causeName}: ${error.message}`);
      }
      const head: FrameHead = {
        psfPath: one.psf,
        firstFibre: request.specmin,
        fibres: one.nspec,
        wave,
        options: job.options,
        bundleSize: request.bundleSize,
        maskBits: request.maskBits,
        bands: 2 * psf.halfY + 1,
        psferr: job.options.psferr ?? psf.error,
        barycentricFactor: factor,
        float64: request.float64,
        target: work.target,
        commandLine: request.commandLine,
        identity: one.identity,
      };
      const read = (bundle: number) => {
        const bytes = journal.read(bundle);
        return bytes === null ? lost(bundles[bundle]!, wave.length, head.bands) : decodeBundle(bytes);
      };
      // the frame last: it is there only when everything is
      if (one.model !== null) writeModel(one.model, preproc, request.float64, bundles.length, read);
      const counts = writeFrame(one.output, head, preproc, bundles, read);
      journal.remove();
      return {
        input: one.input,
        output: one.output,
        model: one.model,
        fibres: one.nspec,
        bins: wave.length,
        counts,
        failed: [...failures].sort(([a], [b]) => a - b).map(([bundle, why]) => ({
          firstFibre: bundles[bundle]!.firstFibre,
          why,
        })),
        seconds: (performance.now() - began) / 1000,
      };
    } catch (error) {
      if (journal.done === 0) journal.remove();
      else journal.close();
      throw error;
    }
  } finally {
    unlock();
  }
}

function loadBundles(
  job: ExtractionJob,
  preproc: Preproc,
  bundles: readonly PlannedBundle[],
): { batch: ExtractionBatch; transfer: Transferable[] } {
  const inputs = bundles.map(
    ({ firstFibre, fibres }): BundleInput & { image: Float32Array; ivar: Float32Array } => {
      const cutout = bundleCutout(job, { firstFibre, fibres });
      return {
        firstFibre,
        fibres,
        cutout,
        image: cut(preproc, "image", cutout),
        ivar: cut(preproc, "ivar", cutout),
      };
    },
  );
  const transfer = inputs.flatMap((
    { image, ivar },
  ) => [image.buffer as ArrayBuffer, ivar.buffer as ArrayBuffer]);
  return { batch: { bundles: inputs }, transfer };
}

/** What is written of a bundle that could not be extracted: no flux, flagged. */
function lost({ kept }: PlannedBundle, bins: number, bands: number): ReturnType<typeof decodeBundle> {
  const n = kept * bins;
  const resolution = new Float32Array(n * bands);
  for (let f = 0; f < kept; f++) {
    resolution.fill(1, (f * bands + (bands >> 1)) * bins, (f * bands + (bands >> 1) + 1) * bins);
  }
  return {
    fibres: kept,
    bins,
    flux: new Float64Array(n),
    ivar: new Float64Array(n),
    chi2pix: new Float64Array(n),
    pixmaskFraction: new Float64Array(n),
    flags: new Uint32Array(n).fill(FLAG.FAILED),
    resolution,
    model: null,
  };
}
