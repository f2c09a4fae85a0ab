/** Simulated stars as a DESI coadd file, written by ranges of rows: memory does not grow with the number of stars. */
import { Header } from "../io/fits_header.ts";
import { numberColumn, stringColumn, Table } from "../io/fits_table.ts";
import { FitsWriter } from "../io/fits_write.ts";
import type { Grid } from "../templates/grid.ts";
import { type Evaluate, type SimulatedBatch, simulateStars, type SimulationOptions } from "./simulate.ts";
import { SIMULATED_ARMS } from "./simulate_arms.ts";

/** Stars simulated at a time. */
const BATCH = 64;
const FLUX_UNIT = "10**-17 erg/(s cm2 Angstrom)";
const IVAR_UNIT = "10**+34 (s2 cm4 Angstrom2) / erg2";

export interface SimulatedFile {
  readonly path: string;
  readonly stars: number;
  readonly options: SimulationOptions;
  readonly grid: Grid;
  readonly evaluate: Evaluate;
  /** Line spread, Å, of the spectra before resolution, per arm; NaN in nominal mode. */
  readonly sigma0: readonly number[];
  /** For the header: name and checksum of the library, version of the program. */
  readonly library: { readonly name: string; readonly checksum: string };
  readonly version: string;
}

/** @param onProgress - stars done @param signal - heard between batches */
export async function writeSimulation(
  file: SimulatedFile,
  onProgress: (done: number) => void = () => {},
  signal?: AbortSignal,
): Promise<void> {
  const { options, stars, grid } = file;
  using writer = FitsWriter.create(file.path, primaryHeader(file));
  const empty = tables([], file);
  const fibermap = writer.addTable({ name: "FIBERMAP", table: empty.fibermap, rows: stars });
  const exposures = writer.addTable({ name: "EXP_FIBERMAP", table: empty.exposures, rows: stars });
  const arms = SIMULATED_ARMS.map(({ arm, lam, ndiag }) => {
    const name = arm.toUpperCase(), shape = [stars, lam.length];
    const unit = (text: string) => new Header().set("BUNIT", text);
    writer.addWholeImage({
      name: `${name}_WAVELENGTH`,
      data: lam,
      shape: [lam.length],
      header: unit("Angstrom"),
    });
    return {
      flux: writer.addImage({ name: `${name}_FLUX`, type: "float32", shape, header: unit(FLUX_UNIT) }),
      ivar: writer.addImage({ name: `${name}_IVAR`, type: "float32", shape, header: unit(IVAR_UNIT) }),
      mask: writer.addImage({ name: `${name}_MASK`, type: "int32", shape }),
      resolution: writer.addImage({
        name: `${name}_RESOLUTION`,
        type: "float32",
        shape: [stars, ndiag, lam.length],
      }),
    };
  });
  const scores = writer.addTable({ name: "SCORES", table: empty.scores, rows: stars });
  const truth = writer.addTable({ name: "TRUTH", table: empty.truth, rows: stars });
  for (let first = 0; first < stars; first += BATCH) {
    // A turn of the event loop, without which no signal is heard.
    await new Promise((turn) => setTimeout(turn));
    signal?.throwIfAborted();
    const numbers = Array.from({ length: Math.min(BATCH, stars - first) }, (_, i) => first + i);
    const batch = simulateStars(grid, options, numbers, file.evaluate, file.sigma0);
    const made = tables([batch], file);
    writer.writeRows(fibermap, first, made.fibermap);
    writer.writeRows(exposures, first, made.exposures);
    writer.writeRows(scores, first, made.scores);
    writer.writeRows(truth, first, made.truth);
    batch.arms.forEach((rows, a) => {
      writer.writeRows(arms[a].flux, first, rows.flux);
      writer.writeRows(arms[a].ivar, first, rows.ivar);
      writer.writeRows(arms[a].mask, first, rows.mask);
      writer.writeRows(arms[a].resolution, first, rows.resolution);
    });
    onProgress(first + numbers.length);
  }
  writer.commit();
}

function primaryHeader({ options, library, version }: SimulatedFile): Header {
  const header = new Header();
  header.set("SURVEY", "sim", "simulated stars");
  header.set("PROGRAM", `twinspec ${version}`);
  header.set("SEED", options.seed, "of the random numbers");
  header.setReal("SNMIN", options.snMin, "median S/N per pixel of the r arm, from");
  header.setReal("SNMAX", options.snMax, "to");
  if (typeof options.margin === "number") header.setReal("MARGIN", options.margin, "fraction of every axis");
  header.set("SIMRES", options.resolutionMatrix ? "matrix" : "nominal", "what the spectra are resolved by");
  header.set("LIBNAME", library.name, "template library");
  header.set("LIBSUM", library.checksum, "its SHA-256");
  return header;
}

/** Names of parameters as in the answers of a fit. */
const COLUMN: Readonly<Record<string, string>> = { alpha: "ALPHAFE" };

/** The tables of some batches; of none, examples with the right columns. */
function tables(batches: readonly SimulatedBatch[], { grid }: SimulatedFile) {
  const truths = batches.flatMap((batch) => batch.truths);
  const long = (name: string, value: (star: number) => bigint) =>
    numberColumn(name, BigInt64Array.from(truths, ({ star }) => value(star)));
  const whole = (name: string, value: (star: number) => number) =>
    numberColumn(name, Int32Array.from(truths, ({ star }) => value(star)));
  const real = (name: string, value: (i: number) => number, unit = "") =>
    numberColumn(name, Float64Array.from(truths, (_, i) => value(i)), { unit });
  const text = (name: string, value: string, width: number) =>
    stringColumn(name, truths.map(() => value), { width });
  const rows = { rows: truths.length };
  const id = numberColumn("TARGETID", BigInt64Array.from(truths, (truth) => truth.targetid));
  const fibermap = new Table([
    id,
    whole("COADD_FIBERSTATUS", () => 0),
    real("TARGET_RA", (i) => 150 + 0.01 * (truths[i].star % 1000), "deg"),
    real("TARGET_DEC", (i) => 2 + 0.01 * Math.floor(truths[i].star / 1000), "deg"),
    text("OBJTYPE", "TGT", 3),
    whole("FIBER", (star) => star % 5000),
    whole("BRICKID", (star) => 300000 + Math.floor(star / 100)),
    long("DESI_TARGET", () => 1n << 61n),
    long("REF_ID", (star) => 2_000_000_000n + BigInt(star)),
    text("REF_CAT", "G3", 2),
  ], rows);
  const exposures = new Table([
    id,
    whole("EXPID", () => 1),
    whole("FIBER", (star) => star % 5000),
    whole("FIBERSTATUS", () => 0),
  ], rows);
  const sn = (arm: number) => Float32Array.from(batches.flatMap((batch) => [...batch.arms[arm].sn]));
  const scores = new Table([
    id,
    ...SIMULATED_ARMS.map(({ arm }, a) => numberColumn(`MEDIAN_COADD_SNR_${arm.toUpperCase()}`, sn(a))),
  ], rows);
  const truth = new Table([
    id,
    real("VRAD", (i) => truths[i].vrad, "km s-1"),
    real("VSINI", (i) => truths[i].vsini, "km s-1"),
    ...grid.axes.map((axis, d) =>
      real(
        COLUMN[axis.name] ?? axis.name.toUpperCase(),
        (i) => truths[i].params[d],
        axis.unit === "K" ? "K" : "",
      )
    ),
    real("SN_R", (i) => truths[i].sn),
  ], rows);
  return { fibermap, exposures, scores, truth };
}
