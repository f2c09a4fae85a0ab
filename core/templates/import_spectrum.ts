/** Reading one model spectrum, FITS or text, for an import. */
import { FitsFile, type Hdu } from "../io/fits_read.ts";
import type { Header } from "../io/fits_header.ts";
import { InputError } from "../io/input_error.ts";
import { toFloat64 } from "../io/number_types.ts";
import { parseTwoColumns } from "./csv.ts";

export interface ModelSpectrum {
  /** Wavelengths, Å, as the file gives them; null where it gives none. */
  readonly lam: Float64Array | null;
  readonly flux: Float64Array;
  /** Primary header of a FITS file. */
  readonly header: Header | null;
  /** What the file says of the medium, null if nothing. */
  readonly medium: "air" | "vacuum" | null;
}

const LAM_COLUMNS = ["WAVELENGTH", "WAVE", "LAMBDA", "LAM", "LOGLAM"];
const FLUX_COLUMNS = ["FLUX", "FLAM", "F_LAMBDA"];

/** Whether a name is that of a FITS file. */
export function isFitsName(name: string): boolean {
  return /\.(fits|fit|fts)(\.gz)?$/i.test(name);
}

/** Whether a name is that of a spectrum in columns of text. */
export function isTextName(name: string): boolean {
  return /\.(csv|txt|dat|ascii)$/i.test(name);
}

/**
 * Reads a spectrum: two columns of text, a FITS table with columns WAVELENGTH (or LOGLAM) and FLUX, or a FITS image of
 * one axis with its wavelengths in CRVAL1 and CDELT1.
 *
 * @throws InputError where it is none of these
 */
export function readModelSpectrum(path: string): ModelSpectrum {
  if (isTextName(path)) return { ...parseTwoColumns(path), header: null, medium: null };
  using file = FitsFile.open(path);
  const primary = file.hdu(0).header;
  for (const hdu of file.hdus) {
    if (hdu.kind === "table") return { ...fromTable(file, hdu), header: primary, medium: null };
    if (hdu.kind === "image" || hdu.kind === "compressed-image") {
      const flux = toFloat64(file.image(hdu).data);
      if (hdu.shape.filter((length) => length > 1).length > 1) continue;
      const type = String(hdu.header.get("CTYPE1") ?? "").toUpperCase();
      const medium = type.startsWith("AWAV") ? "air" : type.startsWith("WAVE") ? "vacuum" : null;
      return { lam: wcsWavelengths(hdu, flux.length), flux, header: primary, medium };
    }
  }
  throw new InputError(`${path}: holds no spectrum: neither a table nor an image of one axis`);
}

function fromTable(file: FitsFile, hdu: Hdu): { lam: Float64Array; flux: Float64Array } {
  const table = file.table(hdu);
  const named = (wanted: readonly string[]) =>
    table.names.find((name) => wanted.includes(name.toUpperCase()));
  const lamName = named(LAM_COLUMNS), fluxName = named(FLUX_COLUMNS);
  if (lamName === undefined || fluxName === undefined) {
    throw new InputError(
      `${hdu.where}: has no columns WAVELENGTH and FLUX; it holds ${table.names.join(", ")}`,
    );
  }
  const values = toFloat64(table.numbers(lamName));
  const scale = unitScale(table.column(lamName).unit);
  const lam = lamName.toUpperCase() === "LOGLAM" ? values.map((x) => 10 ** x) : values.map((x) => x * scale);
  return { lam, flux: toFloat64(table.numbers(fluxName)) };
}

/** Å per unit; FITS unit names in any case. */
function unitScale(unit: string): number {
  const name = unit.trim().toLowerCase();
  if (name === "nm" || name === "nanometer") return 10;
  if (name === "um" || name === "micron") return 1e4;
  return name === "m" ? 1e10 : 1;
}

function wcsWavelengths({ header }: Hdu, npix: number): Float64Array | null {
  const start = header.number("CRVAL1"), step = header.number("CDELT1") ?? header.number("CD1_1");
  if (start === undefined || step === undefined || step === 0 || start <= 0) return null;
  const reference = header.number("CRPIX1") ?? 1;
  const x = Float64Array.from({ length: npix }, (_, i) => start + (i + 1 - reference) * step);
  const type = String(header.get("CTYPE1") ?? "").toUpperCase();
  const logarithmic = header.integer("DC-FLAG") === 1 || type.includes("LOG");
  // A logarithm of a wavelength in Å: base 10 below 5, natural above.
  if (logarithmic) return x.map((v) => start < 5.5 ? 10 ** v : Math.exp(v));
  const scale = unitScale(String(header.get("CUNIT1") ?? ""));
  return x.map((v) => v * scale);
}
