/**
 * What the tests of running fits stand on: small files in the DESI layout, a library of no spectra, and a fitter that
 * answers at once with numbers made from its input. This module is also the fleet's worker, and a program of its own
 * (`deno run run_fixture.ts FOLDER`) that a test can kill.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serve } from "../../core/fleet_worker.ts";
import { Header } from "../../core/io/fits_header.ts";
import { numberColumn, stringColumn, Table } from "../../core/io/fits_table.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { openSpectra } from "../../core/io/open_spectra.ts";
import type { FitBatch, FitJob } from "../../core/stellar/batch.ts";
import { DEFAULT_OPTIONS } from "../../core/stellar/options.ts";
import { type BatchResult, type StarResult, WARN } from "../../core/stellar/result.ts";
import { fitFilesWith, type FitParts } from "../../core/stellar/run_files.ts";
import type { FitRequest } from "../../core/stellar/run_types.ts";
import { unfittedStar } from "../../core/stellar/warnings.ts";
import type { TemplateLibrary } from "../../core/templates/library.ts";

/** How the fake fitter is to behave; sent to every worker. */
export interface Behaviour {
  /** Milliseconds a star. */
  readonly slow?: number;
  /** Rows that make it throw. */
  readonly bad?: readonly number[];
}

export const LAM = { b: grid(3600, 13), r: grid(5800, 10) };

function grid(first: number, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => first + 0.8 * i);
}

/** Answers made from the pixels alone, whatever else is in the batch. */
export function start(_: unknown, shared: unknown) {
  const { slow = 0, bad = [] } = shared as Behaviour;
  return {
    name: "fake target",
    open(job: FitJob) {
      return (batch: FitBatch) => {
        const models = batch.pixels.map(({ flux }) => flux.map((x) => 2 * x));
        let first = 0;
        const stars = batch.rows.map((rows, i): StarResult => {
          if (slow > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, slow);
          const failing = rows.find((row) => bad.includes(row));
          if (failing !== undefined) throw new Error(`row ${failing} is cursed`);
          const star = answer(job, batch, rows, batch.sn[i], first);
          first += rows.length;
          return star;
        });
        return { result: { stars, models, seconds: { fit: 0.001 } } satisfies BatchResult, transfer: [] };
      };
    },
  };
}

function answer(job: FitJob, batch: FitBatch, rows: readonly number[], sn: readonly number[], first: number) {
  const axes = job.library.axes.length;
  const star = unfittedStar(rows, axes, sn);
  const weights = batch.pixels.map(({ ivar }, arm) => {
    const n = job.arms[arm].lam.length;
    return ivar.subarray(first * n, (first + rows.length) * n).reduce((sum, w) => sum + w, 0);
  });
  if (weights.every((weight) => weight === 0)) return star;
  const chisq = weights.map((weight) => weight === 0 ? NaN : weight);
  const size = 2 + axes;
  return {
    ...star,
    vrad: batch.pixels[0].flux[first * job.arms[0].lam.length],
    vradErr: 1,
    vradErrMarginal: 1.5,
    vsini: 10,
    vsiniErr: 2,
    params: job.library.axes.map((_, i) => rows[0] + i / 8),
    paramErrs: job.library.axes.map((_, i) => i / 16),
    covariance: Array.from({ length: size * size }, (_, i) => i),
    chisq,
    chisqContinuum: chisq.map((x) => 2 * x),
    m2lnl: -rows[0],
    npix: 20,
    warn: rows[0] % 5 === 4 ? WARN.LIBRARY_EDGE : 0,
    evaluations: 30 + rows[0],
    reason: "converged" as const,
    template: 1,
  };
}

export const LIBRARY: TemplateLibrary = {
  name: "fake",
  axes: ["teff", "logg", "feh", "alpha", "vmic"].map((name) => ({
    name,
    unit: name === "teff" ? "K" : name === "vmic" ? "km/s" : "dex",
    log10: name === "teff",
    values: Float64Array.of(0, 1),
  })),
  templates: 2,
  params: new Float64Array(10),
  idgrid: new Int32Array(32),
  classes: null,
  builds: [],
  provenance: {},
  checksum: "0123456789abcdef".repeat(4),
};

export function fakeParts(behaviour: Behaviour = {}, library = LIBRARY): FitParts {
  return {
    openSpectra,
    openLibrary: () => library,
    prepareArm: (_, { setup, medium }) => ({
      setup,
      lam0: 3000,
      dlnlam: 1e-4,
      npix: 3,
      medium,
      sigma0: NaN,
      lnflux: new Float32Array(6),
    }),
    preparationKey: (_, { setup }) => setup,
    coversRequest: () => true,
    choose: () => ({
      kind: "wasm",
      worker: new URL(import.meta.url),
      shared: behaviour,
      targets: [],
      batch: 64,
      note: null,
    }),
  };
}

export function fitRequest(inputs: string[], outputDir: string, more: Partial<FitRequest> = {}): FitRequest {
  return {
    inputs,
    library: "fake-library",
    outputDir,
    options: DEFAULT_OPTIONS,
    minSn: null,
    targetids: null,
    target: "auto",
    workers: 1,
    batch: 3,
    overwrite: false,
    skipExisting: false,
    commandLine: "twinspec fit",
    ...more,
  };
}

export interface SpectraPlan {
  readonly rows: number;
  /** Rows by what they are. */
  readonly sky?: readonly number[];
  readonly broken?: readonly number[];
  readonly dead?: readonly number[];
  readonly targetids?: readonly bigint[];
  readonly scores?: boolean;
}

/** Writes a small coadd. Flux of row r, pixel i: 100 r + i; S/N of row r in SCORES: r. */
export function writeSpectra(path: string, plan: SpectraPlan): void {
  const { rows, sky = [], broken = [], dead = [] } = plan;
  const all = Array.from({ length: rows }, (_, row) => row);
  const ids = BigInt64Array.from(all, (row) => plan.targetids?.[row] ?? 39627000000000000n + BigInt(row));
  using writer = FitsWriter.create(
    path,
    new Header().set("SPGRP", "healpix").set("HPXPIXEL", 10378).set("OTHER", 1),
  );
  writer.addTable({
    name: "FIBERMAP",
    table: new Table([
      numberColumn("TARGETID", ids),
      // 8: restricted, harmless; 2: broken.
      numberColumn("COADD_FIBERSTATUS", Int32Array.from(all, (row) => broken.includes(row) ? 10 : 8)),
      stringColumn("OBJTYPE", all.map((row) => sky.includes(row) ? "SKY" : "TGT"), { width: 3 }),
      numberColumn("FIBER", Int32Array.from(all, (row) => 7 * row)),
      numberColumn("TARGET_RA", Float64Array.from(all, (row) => 200 + row), { unit: "deg" }),
      numberColumn("TARGET_DEC", Float64Array.from(all, (row) => 5 + row), { unit: "deg" }),
      numberColumn("REF_ID", BigInt64Array.from(all, (row) => 39n * 10n ** 17n + BigInt(row))),
      stringColumn("REF_CAT", all.map(() => "G2")),
    ]),
  });
  if (plan.scores ?? true) {
    const scores = ["B", "R"].map((arm) => numberColumn(`MEDIAN_COADD_SNR_${arm}`, Float32Array.from(all)));
    writer.addTable({ name: "SCORES", table: new Table([numberColumn("TARGETID", ids), ...scores]) });
  }
  writer.addTable({
    name: "EXP_FIBERMAP",
    table: new Table([
      numberColumn("TARGETID", BigInt64Array.from([...ids, ...ids])),
      numberColumn("EXPID", Int32Array.from({ length: 2 * rows }, (_, i) => i)),
    ]),
  });
  for (const [arm, lam] of Object.entries(LAM)) {
    const n = lam.length;
    const shape = [rows, n];
    const pixel = <T>(value: (row: number, i: number) => T) =>
      Array.from({ length: rows * n }, (_, k) => value(Math.floor(k / n), k % n));
    const name = arm.toUpperCase();
    writer.addWholeImage({ name: `${name}_WAVELENGTH`, data: lam, shape: [n] });
    writer.addWholeImage({
      name: `${name}_FLUX`,
      data: Float32Array.from(pixel((row, i) => 100 * row + i)),
      shape,
    });
    writer.addWholeImage({
      name: `${name}_IVAR`,
      data: Float32Array.from(pixel((row) => dead.includes(row) ? 0 : 4)),
      shape,
    });
    writer.addWholeImage({ name: `${name}_MASK`, data: Int32Array.from(pixel(() => 0)), shape });
  }
  writer.commit();
}

/** Fits FOLDER/coadd-long.fits slowly, so that it can be killed; says in FOLDER/started when stars are done. */
if (import.meta.main && !("WorkerGlobalScope" in globalThis)) {
  const folder = Deno.args[0];
  const request = fitRequest([join(folder, "coadd-long.fits")], join(folder, "out"), {
    workers: 2,
    batch: 2,
  });
  await fitFilesWith(fakeParts({ slow: 20 }), request, {
    onProgress(done) {
      if (done >= 12) writeFileSync(join(folder, "started"), String(done));
    },
  });
}

serve(start);
