/** The picture of one star from the files: rvtab and rvmod beside it, or spectra alone. */
import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { FitsFile } from "../core/io/fits_read.ts";
import type { Table } from "../core/io/fits_table.ts";
import { InputError } from "../core/io/input_error.ts";
import { openSpectra } from "../core/io/open_spectra.ts";
import type { SpectrumFile } from "../core/io/spectra.ts";
import type { Figure, FigureArm } from "./figure.ts";
import { warnNames } from "./table.ts";

/** Which star: at least one of the two, unless the file has one star only. */
export interface Wanted {
  readonly targetid: bigint | null;
  /** 0-based row of the file of spectra. */
  readonly row: number | null;
}

/** Where a star is: in the spectra and, if it was fitted, in rvtab and rvmod. */
interface Found {
  readonly row: number;
  readonly fit: { readonly tableRow: number; readonly modelRow: number } | null;
}

/** Files opened once for the pictures of many stars. */
export class StarFigures implements Disposable {
  readonly #spectra: SpectrumFile;
  readonly #ids: BigInt64Array;
  readonly #models: FitsFile | null;
  readonly #answers: Table | null;
  /** Row of the spectra per row of rvtab. */
  readonly #rows: readonly number[];
  readonly #modelRow: (tableRow: number, row: number) => number;

  private constructor(spectra: SpectrumFile, tab: FitsFile | null, models: FitsFile | null) {
    this.#spectra = spectra;
    this.#ids = spectra.fibermap.int64("TARGETID");
    this.#models = models;
    this.#answers = tab?.table("RVTAB") ?? null;
    this.#rows = this.#answers === null ? [] : rowsOf(this.#answers, spectra.rows, this.#ids);
    const joint = models?.find("ROWS") ? models.table("ROWS") : null;
    const inModels = joint?.float64("ROW"), star = joint?.float64("STAR");
    this.#modelRow = (tableRow, row) => {
      if (inModels === undefined || star === undefined) return tableRow;
      return inModels.findIndex((other, i) => other === row && star[i] === tableRow);
    };
  }

  /**
   * @param path - rvtab, or a file of spectra
   * @param input - the file of spectra of an rvtab, where it is no longer where the fit found it
   */
  static open(path: string, input: string | null): StarFigures {
    const file = FitsFile.open(path);
    if (file.find("RVTAB") === null) {
      file.close();
      return new StarFigures(openSpectra(path), null, null);
    }
    using tab = file;
    const models = FitsFile.open(modelsBeside(path));
    try {
      return new StarFigures(openSpectra(input ?? inputOf(tab)), tab, models);
    } catch (error) {
      models.close();
      throw error;
    }
  }

  close(): void {
    this.#spectra.close();
    this.#models?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Row of the spectra and TARGETID of every star that was fitted, or of every spectrum. */
  stars(): [row: number, targetid: bigint][] {
    const rows = this.#answers === null ? [...this.#ids.keys()] : this.#rows;
    return rows.map((row) => [row, this.#ids[row]]);
  }

  figure(wanted: Wanted): Figure {
    const found = this.#find(wanted);
    const { row, fit } = found;
    const file = this.#spectra;
    const arms: FigureArm[] = [];
    const labels = new Map<string, number>();
    file.arms.forEach((grid, a) => {
      const name = grid.arm.toUpperCase(), before = labels.get(name) ?? 0;
      labels.set(name, before + 1);
      const label = before === 0 ? name : `${name}${before + 1}`;
      const pixels = file.read(a, [row], false);
      const measured = pixels.ivar.some((w, i) =>
        w > 0 && pixels.mask[i] === 0 && Number.isFinite(pixels.flux[i])
      );
      if (!measured) return;
      const hdu = fit === null ? null : this.#models?.find(`${label}_MODEL`) ?? null;
      const model = hdu === null || fit === null ? null : this.#models!.image(hdu, [fit.modelRow]).data;
      arms.push({
        name: grid.arm,
        lam: grid.lam,
        flux: pixels.flux,
        ivar: pixels.ivar,
        mask: pixels.mask,
        model: model === null ? null : Float64Array.from(model as ArrayLike<number>, Number),
      });
    });
    if (arms.length === 0) {
      throw new InputError(`${file.path}: row ${row} has no good pixel, there is nothing to draw`);
    }
    return {
      title: `TARGETID ${this.#ids[row]}  ·  row ${row} of ${basename(file.path)}`,
      subtitle: fit === null || this.#answers === null ? "" : answersOf(this.#answers, fit.tableRow),
      arms,
      fluxUnit: fluxUnit(file),
      medium: file.arms[0].medium,
    };
  }

  #find({ targetid, row }: Wanted): Found {
    const where = this.#spectra.path;
    const known = this.#answers !== null;
    // Candidates: rows of rvtab where there was a fit, else rows of the spectra.
    const candidates = (known ? [...this.#rows.keys()] : [...this.#ids.keys()]).filter((i) => {
      const own = known ? this.#rows[i] : i;
      return (row === null || own === row) && (targetid === null || this.#ids[own] === targetid);
    });
    if (candidates.length === 0) {
      const what = [targetid === null ? "" : `TARGETID ${targetid}`, row === null ? "" : `row ${row}`];
      throw new InputError(
        `${where}: ${known ? "no fitted star has" : "has no"} ${
          what.filter((text) => text !== "").join(" in ")
        }`,
      );
    }
    if (candidates.length > 1) {
      const rows = candidates.map((i) => known ? this.#rows[i] : i);
      const shown = rows.slice(0, 10).join(", ") + (rows.length > 10 ? ", …" : "");
      throw new InputError(
        targetid === null
          ? `${where}: holds ${rows.length} stars; say which one with --targetid or --row`
          : `${where}: TARGETID ${targetid} is in rows ${shown}; say which one with --row`,
      );
    }
    if (!known) return { row: candidates[0], fit: null };
    const tableRow = candidates[0], own = this.#rows[tableRow];
    return { row: own, fit: { tableRow, modelRow: this.#modelRow(tableRow, own) } };
  }
}

/** Row of the spectra of every row of rvtab: column ROW, or (tables of the reference) the only one of the TARGETID. */
function rowsOf(answers: Table, rows: number, ids: BigInt64Array): number[] {
  if (answers.has("ROW")) {
    const own = [...answers.float64("ROW")], bad = own.find((row) => !(row >= 0 && row < rows));
    if (bad === undefined) return own;
    throw new InputError(
      `${answers.where}: ROW ${bad} is not among the ${rows} rows of the spectra: another file?`,
    );
  }
  return [...answers.int64("TARGETID")].map((id) => ids.indexOf(id));
}

function modelsBeside(path: string): string {
  const name = basename(path).replace(/^rvtab/, "rvmod");
  const tried = [join(dirname(path), name), join(dirname(path), name + ".gz")];
  const there = name === basename(path) ? undefined : tried.find((candidate) => existsSync(candidate));
  if (there !== undefined) return there;
  throw new InputError(
    `${path}: the models, rvmod_… beside it, are missing; fit again or keep both files together`,
  );
}

function inputOf(tab: FitsFile): string {
  const named = tab.hdus[0].header.get("IN_FILE");
  if (typeof named !== "string" || named === "") {
    throw new InputError(`${tab.path}: does not say which spectra were fitted; name them with --input`);
  }
  const plain = decodeURI(named);
  const tried = [
    isAbsolute(plain) ? plain : resolve(dirname(tab.path), plain),
    join(dirname(tab.path), basename(plain)),
  ];
  const there = tried.find((candidate) => existsSync(candidate));
  if (there !== undefined) return there;
  throw new InputError(`${tab.path}: the spectra ${plain} are no longer there; name them with --input`);
}

/** Unit of the flux: of the first flux HDU that names one. */
function fluxUnit(file: SpectrumFile): string {
  using fits = FitsFile.open(file.path);
  for (const hdu of fits.hdus) {
    const unit = hdu.header.get("BUNIT");
    if (typeof unit === "string" && unit !== "" && (/FLUX/.test(hdu.name) || hdu.index === 0)) return unit;
  }
  return "";
}

/** What the fit found, in one line. */
function answersOf(answers: Table, row: number): string {
  const value = (name: string) => answers.has(name) ? answers.float64(name)[row] : NaN;
  const parts: string[] = [];
  const add = (label: string, name: string, digits: number, unit: string) => {
    const x = value(name), error = value(`${name}_ERR`);
    if (!Number.isFinite(x)) return;
    const shown = `${x.toFixed(digits).replace("-", "−")}${
      Number.isFinite(error) ? ` ± ${error.toFixed(digits)}` : ""
    }`;
    parts.push(`${label} = ${shown}${unit}`);
  };
  add("V", "VRAD", 2, " km/s");
  add("Teff", "TEFF", 0, " K");
  add("log g", "LOGG", 2, "");
  add("[Fe/H]", "FEH", 2, "");
  add("[α/Fe]", "ALPHAFE", 2, "");
  add("v sin i", "VSINI", 1, " km/s");
  const warn = value("RVS_WARN");
  if (warn > 0) parts.push(`flags ${warnNames(warn)}`);
  return parts.join("  ·  ");
}
