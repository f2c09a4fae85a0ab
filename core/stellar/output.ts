/** The output files: rvtab with a row a star, rvmod with the models; HDUs as the reference has them (rvspecfit 26.07). */
import type { Redshifts } from "../io/desi_redrock.ts";
import { FitsWriter } from "../io/fits_write.ts";
import { Header } from "../io/fits_header.ts";
import { numberColumn, Table } from "../io/fits_table.ts";
import type { SpectrumFile } from "../io/spectra.ts";
import type { TemplateLibrary } from "../templates/library.ts";
import type { FitOptions } from "./options.ts";
import { armLabels, rvTable } from "./output_columns.ts";
import { primaryHeader } from "./output_header.ts";
import type { OutputPaths } from "./output_names.ts";
import type { StarResult } from "./result.ts";

export interface OutputPlan {
  readonly paths: OutputPaths;
  readonly file: SpectrumFile;
  /** Fitted arms: indices into `file.arms`. */
  readonly arms: readonly number[];
  readonly library: Pick<TemplateLibrary, "name" | "axes" | "classes" | "checksum">;
  readonly libraryPath: string;
  readonly options: FitOptions;
  readonly minSn: number | null;
  readonly commandLine: string;
  /** Name of the target. */
  readonly target: string;
  /** SHA-256 of everything that changes an answer. */
  readonly identity: string;
  readonly redshifts: Redshifts | null;
}

/** Models written at a time, values. */
const CHUNK = 1 << 20;

/**
 * Writes both files; rvtab appears last, so that where it is there both are.
 *
 * @param stars - in the order of the output
 * @param model - of a star in an arm, shape (rows of the star, npix); null = zeros
 */
export function writeOutputs(
  plan: OutputPlan,
  stars: readonly StarResult[],
  model: (star: number, arm: number) => Float32Array | null,
): void {
  writeModels(plan, stars, model);
  writeTable(plan, stars);
}

function writeTable(plan: OutputPlan, stars: readonly StarResult[]): void {
  const { file, paths } = plan;
  const firsts = stars.map((star) => star.rows[0]);
  using writer = FitsWriter.create(paths.rvtab, primaryHeader(plan, false));
  const table = rvTable(plan, stars);
  writer.addTable({ name: "RVTAB", table, header: table.header });
  writer.addTable({ name: "FIBERMAP", table: plainColumns(file.fibermap).take(firsts) });
  if (file.scores?.rows === file.rows) {
    writer.addTable({ name: "SCORES", table: plainColumns(file.scores).take(firsts) });
  }
  if (file.expFibermap?.has("TARGETID")) {
    const ids = file.fibermap.int64("TARGETID");
    const fitted = new Set(stars.flatMap((star) => star.rows.map((row) => ids[row])));
    const exposures = [...file.expFibermap.int64("TARGETID").entries()];
    const kept = exposures.filter(([, id]) => fitted.has(id)).map(([row]) => row);
    writer.addTable({ name: "EXP_FIBERMAP", table: plainColumns(file.expFibermap).take(kept) });
  }
  writer.commit();
}

function writeModels(
  plan: OutputPlan,
  stars: readonly StarResult[],
  model: (star: number, arm: number) => Float32Array | null,
): void {
  const { file, paths, arms } = plan;
  const rows = stars.flatMap((star) => star.rows);
  using writer = FitsWriter.create(paths.rvmod, primaryHeader(plan, true));
  const labels = armLabels(plan);
  arms.forEach((arm, a) => {
    const { lam } = file.arms[arm];
    const header = new Header().set("BUNIT", "Angstrom");
    writer.addWholeImage({ name: `${labels[a]}_WAVELENGTH`, data: lam, shape: [lam.length], header });
    const hdu = writer.addImage({
      name: `${labels[a]}_MODEL`,
      type: "float32",
      shape: [rows.length, lam.length],
    });
    let first = 0;
    let gathered: Float32Array[] = [];
    const flush = () => {
      const size = gathered.reduce((sum, part) => sum + part.length, 0);
      if (size === 0) return;
      const values = new Float32Array(size);
      let at = 0;
      for (const part of gathered) {
        values.set(part, at);
        at += part.length;
      }
      writer.writeRows(hdu, first, values);
      first += size / lam.length;
      gathered = [];
    };
    stars.forEach((star, i) => {
      gathered.push(model(i, a) ?? new Float32Array(star.rows.length * lam.length));
      if (gathered.length * star.rows.length * lam.length >= CHUNK) flush();
    });
    flush();
  });
  writer.addTable({ name: "FIBERMAP", table: plainColumns(file.fibermap).take(rows) });
  if (plan.options.jointByTargetid) {
    const star = stars.flatMap(({ rows }, i) => rows.map(() => BigInt(i)));
    const table = new Table([
      numberColumn("ROW", BigInt64Array.from(rows, BigInt), { comment: "Row of the input, from 0" }),
      numberColumn("STAR", BigInt64Array.from(star), { comment: "Row of RVTAB, from 0" }),
    ], { rows: rows.length });
    writer.addTable({ name: "ROWS", table });
  }
  writer.commit();
}

/** A table less its columns of variable length, which cannot be written. */
function plainColumns(table: Table): Table {
  return table.select(
    table.columns.filter((column) => column.kind !== "variable").map((column) => column.name),
  );
}
