/**
 * Reading PSF files of type GAUSS-HERMITE, version 3, as the DESI pipeline writes them: two images of trace coefficients
 * and a table with one row a parameter.
 */
import { FitsFile, type Hdu } from "../io/fits_read.ts";
import type { Table } from "../io/fits_table.ts";
import { InputError } from "../io/input_error.ts";
import { toFloat64 } from "../io/number_types.ts";
import { type Domain, type Psf, TAILS, WIDTHS } from "./psf.ts";

const TYPE = "GAUSS-HERMITE";
const VERSION = 3;
/** Error of the pixel model where the file gives none. */
export const DEFAULT_PSF_ERROR = 0.01;

/**
 * Reads a PSF file.
 *
 * LEGDEGX and LEGDEGW are not read: the programs that these files are made for sum all LEGDEG + 1 coefficients of a row,
 * and files rely on it (a GH-0-0 of "degree 0" has higher coefficients that matter).
 *
 * @throws InputError where it is no FITS file, of another type or version, or lacks an HDU, a keyword or a row
 */
export function readPsf(path: string): Psf {
  using file = FitsFile.open(path);
  checkKind(file);
  const xTrace = file.hdu("XTRACE"), yTrace = file.hdu("YTRACE");
  const table = file.table("PSF");
  const traces = [xTrace, yTrace].map((hdu) => traceOf(file, hdu));
  const fibres = traces[0]!.fibres;
  if (traces[1]!.fibres !== fibres) {
    throw new InputError(
      `${yTrace.where}: traces of ${
        traces[1]!.fibres
      } fibres, but XTRACE has ${fibres}; take a sound PSF file`,
    );
  }
  const traceDomain = domainOf(xTrace), other = domainOf(yTrace);
  if (traceDomain.min !== other.min || traceDomain.max !== other.max) {
    throw new InputError(
      `${yTrace.where}: WAVEMIN and WAVEMAX are ${other.min} and ${other.max}, but those of XTRACE ` +
        `${traceDomain.min} and ${traceDomain.max}; they must agree`,
    );
  }
  const shape = shapeOf(table, fibres);
  const { header } = table;
  return {
    path,
    camera: unquoted(header.get("CAMERA")),
    firstFibre: header.integer("FIBERMIN") ?? xTrace.header.integer("FIBERMIN") ?? 0,
    fibres,
    columns: size(table, "NPIX_X", 1),
    rows: size(table, "NPIX_Y", 1),
    halfX: size(table, "HSIZEX", 1),
    halfY: size(table, "HSIZEY", 1),
    ...shape,
    traceDomain,
    ...interleaved(traces as [Trace, Trace], fibres),
    shapeDomain: domainOf(table),
    error: psfError(file, table),
  };
}

function checkKind(file: FitsFile): void {
  const headers = file.hdus.map((hdu) => hdu.header);
  const about = headers.find((header) => header.has("PSFTYPE"));
  const type = about?.string("PSFTYPE")?.trim();
  if (type === undefined) {
    throw new InputError(`${file.path}: no HDU has the keyword PSFTYPE; expected a PSF file of type ${TYPE}`);
  }
  if (type !== TYPE) {
    throw new InputError(`${file.path}: the PSF is of type ${type}; only ${TYPE} can be read`);
  }
  // an integer in one header, a string in the other
  const version = headers.map((header) => header.get("PSFVER")).find((v) => v !== undefined && v !== null);
  if (Number(version) === VERSION) return;
  throw new InputError(
    `${file.path}: PSFVER is ${version ?? "missing"}, expected ${VERSION}; write the PSF with a ${
      Number(version) > VERSION ? "matching" : "newer"
    } version of specex`,
  );
}

interface Trace {
  readonly fibres: number;
  readonly terms: number;
  readonly data: Float64Array;
}

function traceOf(file: FitsFile, hdu: Hdu): Trace {
  const { shape, data } = file.image(hdu);
  if (shape.length !== 2 || shape[0] === 0 || shape[1] === 0) {
    throw new InputError(
      `${hdu.where}: has the shape ${shape.join(" × ") || "of no image"}, expected fibres × coefficients`,
    );
  }
  const values = toFloat64(data);
  const bad = values.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    throw new InputError(
      `${hdu.where}: coefficient ${bad % shape[1]!} of row ${Math.floor(bad / shape[1]!)} is ${
        values[bad]
      }, ` +
        "expected a finite number",
    );
  }
  return { fibres: shape[0]!, terms: shape[1]!, data: values };
}

/** Both traces fibre by fibre, the shorter series filled up with zeros. */
function interleaved(traces: readonly [Trace, Trace], fibres: number): Pick<Psf, "trace" | "traceTerms"> {
  const terms = Math.max(traces[0].terms, traces[1].terms);
  const trace = new Float64Array(fibres * 2 * terms);
  traces.forEach(({ data, terms: own }, axis) => {
    for (let f = 0; f < fibres; f++) trace.set(data.subarray(f * own, (f + 1) * own), (2 * f + axis) * terms);
  });
  return { trace, traceTerms: terms };
}

type Shape = Pick<Psf, "shape" | "shapeTerms" | "degreeX" | "degreeY">;

function shapeOf(table: Table, fibres: number): Shape {
  const degreeX = size(table, "GHDEGX", 0), degreeY = size(table, "GHDEGY", 0);
  const names: string[] = [...WIDTHS];
  for (let i = 0; i <= degreeX; i++) for (let j = 0; j <= degreeY; j++) names.push(`GH-${i}-${j}`);
  names.push(...TAILS);
  // blank-padded in the file
  const params = table.strings("PARAM").map((name) => name.trim().toUpperCase());
  const column = table.column("COEFF"), coefficients = table.float64("COEFF");
  const terms = column.shape.at(-1) ?? 0;
  const cell = fibres * terms;
  const degree = table.header.integer("LEGDEG");
  if (column.shape.length !== 2 || column.shape[0] !== fibres || terms === 0) {
    throw new InputError(
      `${table.where}: column COEFF has the shape ${column.shape.join(" × ")} in a row, expected ` +
        `${fibres} fibres × ${degree === undefined ? "coefficients" : degree + 1}`,
    );
  }
  if (degree !== undefined && degree + 1 !== terms) {
    throw new InputError(`${table.where}: LEGDEG is ${degree}, but COEFF has ${terms} coefficients a fibre`);
  }
  const row = (name: string) => params.indexOf(name);
  const amplitude = row("TAILAMP");
  const tails = amplitude >= 0 &&
    coefficients.subarray(amplitude * cell, (amplitude + 1) * cell).some((v) => v !== 0);
  const shape = new Float64Array(fibres * names.length * terms);
  names.forEach((name, p) => {
    const from = row(name);
    const tail = (TAILS as readonly string[]).includes(name);
    if (from < 0) {
      if (tail && !tails) return;
      throw new InputError(`${table.where}: has no row ${name} in column PARAM; take a complete PSF file`);
    }
    if (tail && !tails) return;
    for (let f = 0; f < fibres; f++) {
      for (let k = 0; k < terms; k++) {
        const value = coefficients[from * cell + f * terms + k]!;
        if (!Number.isFinite(value)) {
          throw new InputError(
            `${table.where}: row ${name}, fibre ${f}: a coefficient is ${value}, expected a finite number`,
          );
        }
        shape[(f * names.length + p) * terms + k] = value;
      }
    }
  });
  return { shape, shapeTerms: terms, degreeX, degreeY };
}

/** Where a keyword stands: an HDU or a table. */
type Place = Pick<Hdu, "header" | "where">;

function domainOf(place: Place): Domain {
  const [min, max] = ["WAVEMIN", "WAVEMAX"].map((key) => {
    const value = place.header.number(key);
    if (value !== undefined) return value;
    throw new InputError(`${place.where}: has no keyword ${key}; take a complete PSF file`);
  }) as [number, number];
  if (min < max) return { min, max };
  throw new InputError(`${place.where}: WAVEMIN ${min} is not below WAVEMAX ${max}`);
}

/** A keyword that is a whole number of at least `least`. */
function size(place: Place, key: string, least: number): number {
  const value = place.header.integer(key);
  if (value === undefined) {
    throw new InputError(`${place.where}: has no keyword ${key}; take a complete PSF file`);
  }
  if (value >= least) return value;
  throw new InputError(`${place.where}: ${key} is ${value}, expected at least ${least}`);
}

/**
 * PSFERR where the file has it. Files are written with PSFERROR, which no extraction program reads: it counts here where
 * it is positive, for in the files at hand it is 0 and stands for "not known".
 */
function psfError(file: FitsFile, table: Table): number {
  const headers = [table.header, ...file.hdus.map((hdu) => hdu.header)];
  const first = (key: string) => headers.map((header) => header.number(key)).find((v) => v !== undefined);
  const given = first("PSFERR");
  if (given !== undefined) {
    if (given >= 0) return given;
    throw new InputError(`${file.path}: PSFERR is ${given}, expected a number that is not negative`);
  }
  const written = first("PSFERROR");
  return written !== undefined && written > 0 ? written : DEFAULT_PSF_ERROR;
}

/** `r0` of a value that carries its own quotes: `'r0      '`. */
function unquoted(value: unknown): string {
  return typeof value === "string" ? value.replaceAll("'", "").trim() : "";
}
