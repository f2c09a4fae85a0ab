/** Preprocessed CCD images, as the DESI pipeline writes them: IMAGE, IVAR, MASK, READNOISE, FIBERMAP; gzip or not. */
import { FitsFile, type Hdu } from "../io/fits_read.ts";
import type { Header } from "../io/fits_header.ts";
import type { Table } from "../io/fits_table.ts";
import { InputError } from "../io/input_error.ts";
import { toFloat32, toInt32 } from "../io/number_types.ts";
import type { Cutout } from "./job.ts";

/** Which bits of MASK take a pixel out: those that the DESI pipeline takes, or any. */
export type MaskBits = "desi" | "any";

/** BAD, HOT, DEAD, SATURATED, COSMIC, PIXFLATZERO, PIXFLATLOW, HIGHVAR (0–7) and BADAMP (9); not BADREADNOISE (8). */
const DESI_BITS = 0b10_1111_1111;

/** A CCD image in memory. */
export interface Preproc {
  readonly path: string;
  /** Of the HDU that holds the image. */
  readonly header: Header;
  /** `r0`, "" if the file does not say. */
  readonly camera: string;
  readonly columns: number;
  readonly rows: number;
  /** Electrons, shape (rows, columns); anything where ivar is 0. */
  readonly image: Float32Array;
  /** Inverse variances, shape (rows, columns); 0 where masked. */
  readonly ivar: Float32Array;
  /** One row a fibre; null where the file has none. */
  readonly fibermap: Table | null;
}

/** Rows that are read at a time. */
const STRIPE = 256;

/**
 * Reads an image. Pixels with a wrong value (ivar negative or not finite; a count that is not finite where ivar is
 * positive) are taken for masked, with a notice that names the first of them.
 *
 * @throws InputError where the file is no such image, or is damaged
 */
export function readPreproc(
  path: string,
  bits: MaskBits,
  onNotice: (text: string) => void = () => {},
): Preproc {
  using file = FitsFile.open(path);
  const image = imageHdu(file), ivar = file.hdu("IVAR"), mask = file.hdu("MASK");
  const [rows, columns] = image.shape as [number, number];
  for (const other of [ivar, mask]) {
    if (other.shape.length === 2 && other.shape[0] === rows && other.shape[1] === columns) continue;
    throw new InputError(
      `${other.where}: has the shape ${shown(other)}, but the image has ${shown(image)}; they must agree`,
    );
  }
  const out = { image: new Float32Array(rows * columns), ivar: new Float32Array(rows * columns) };
  const wrong = new WrongPixels(columns);
  for (let y0 = 0; y0 < rows; y0 += STRIPE) {
    const lines = Array.from({ length: Math.min(STRIPE, rows - y0) }, (_, i) => y0 + i);
    const from = y0 * columns;
    const counts = toFloat32(file.image(image, lines).data),
      weights = toFloat32(file.image(ivar, lines).data);
    const masked = toInt32(file.image(mask, lines).data);
    const selected = bits === "any" ? -1 : DESI_BITS;
    for (let i = 0; i < counts.length; i++) {
      if ((masked[i]! & selected) !== 0) weights[i] = 0;
      const weight = weights[i]!;
      if (weight === 0) continue;
      if (!(weight > 0 && weight < Infinity)) {
        wrong.add(from + i, `IVAR is ${weight}`);
        weights[i] = 0;
      } else if (!Number.isFinite(counts[i]!)) {
        wrong.add(from + i, `IMAGE is ${counts[i]}`);
        weights[i] = 0;
      }
    }
    out.image.set(counts, from);
    out.ivar.set(weights, from);
  }
  wrong.tell(path, onNotice);
  const fibermap = file.find("FIBERMAP");
  return {
    path,
    header: image.header,
    camera: cameraOf(image.header),
    columns,
    rows,
    ...out,
    fibermap: fibermap === null ? null : file.table(fibermap),
  };
}

/** HDU IMAGE, or an unnamed primary HDU with an image. */
function imageHdu(file: FitsFile): Hdu {
  const first = file.hdus[0]!;
  const hdu = file.find("IMAGE") ?? (first.shape.length > 0 && first.name === "" ? first : file.hdu("IMAGE"));
  if (hdu.shape.length === 2 && hdu.shape.every((length) => length > 0)) return hdu;
  throw new InputError(`${hdu.where}: has the shape ${shown(hdu)}, expected rows × columns of a CCD`);
}

function shown(hdu: Hdu): string {
  return hdu.shape.join(" × ") || "of no image";
}

/** Camera of a header, without the quotes that some values carry. */
export function cameraOf(header: Header): string {
  const value = header.get("CAMERA");
  return typeof value === "string" ? value.replaceAll("'", "").trim().toLowerCase() : "";
}

class WrongPixels {
  #count = 0;
  #first = "";

  constructor(readonly columns: number) {}

  add(index: number, what: string): void {
    if (this.#count++ > 0) return;
    this.#first = `row ${Math.floor(index / this.columns)}, column ${index % this.columns}: ${what}`;
  }

  tell(path: string, onNotice: (text: string) => void): void {
    if (this.#count === 0) return;
    const pixels = this.#count === 1 ? "1 pixel has a value" : `${this.#count} pixels have values`;
    onNotice(`${path}: ${pixels} that cannot be used and counted as masked, the first at ${this.#first}`);
  }
}

/** Pixels of a rectangle of the image, shape (rows, columns) of the cut-out. */
export function cut(
  preproc: Preproc,
  pixels: "image" | "ivar",
  { x0, y0, columns, rows }: Cutout,
): Float32Array {
  const out = new Float32Array(columns * rows);
  for (let r = 0; r < rows; r++) {
    const from = (y0 + r) * preproc.columns + x0;
    out.set(preproc[pixels].subarray(from, from + columns), r * columns);
  }
  return out;
}
