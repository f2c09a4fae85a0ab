/** Reading FITS files: HDUs by name or number, images and tables whole or by rows. */
import { type ByteSource, openBytes } from "./byte_source.ts";
import { columnLayouts, decodeColumn } from "./fits_columns.ts";
import { type Hdu, listHdus } from "./fits_hdu.ts";
import { type Image, readImageRows, runsOf } from "./fits_image.ts";
import { type Column, Table } from "./fits_table.ts";
import { InputError } from "./input_error.ts";

export type { Hdu } from "./fits_hdu.ts";
export type { Image } from "./fits_image.ts";

/** An open FITS file. Only the headers are in memory; data are read when asked for. */
export class FitsFile implements Disposable {
  readonly path: string;
  readonly hdus: readonly Hdu[];
  readonly #source: ByteSource;

  private constructor(source: ByteSource) {
    this.#source = source;
    this.path = source.path;
    this.hdus = listHdus(source);
  }

  /**
   * Opens a file, gzip-compressed or plain, told by content.
   *
   * @param memoryLimit - compressed files that unpack to this many bytes or more are read from a temporary file
   * @throws InputError where the file is missing, is not FITS, or is cut off
   */
  static open(path: string, memoryLimit?: number): FitsFile {
    const source = openBytes(path, memoryLimit);
    try {
      return new FitsFile(source);
    } catch (error) {
      source.close();
      throw error;
    }
  }

  /** An HDU by EXTNAME (any case) or number, or null. */
  find(which: string | number): Hdu | null {
    if (typeof which === "number") return this.hdus[which] ?? null;
    const name = which.toUpperCase();
    return this.hdus.find((hdu) => hdu.name === name) ?? null;
  }

  /** An HDU by EXTNAME (any case) or number. @throws InputError where there is none */
  hdu(which: string | number): Hdu {
    const hdu = this.find(which);
    if (hdu !== null) return hdu;
    const names = this.hdus.map((other) => other.name || `[${other.index}]`).join(", ");
    throw new InputError(`${this.path}: has no HDU ${which}; it holds ${names}`);
  }

  /**
   * An image, or rows of its first axis.
   *
   * @param rows - 0-based, any order, duplicates legal; absent = all
   * @returns shape (rows, ...shape.slice(1)), row-major
   * @throws InputError where it is no image, its compression is not known, or it is damaged
   */
  image(which: string | number | Hdu, rows?: ArrayLike<number>): Image {
    return readImageRows(this.#source, this.#resolve(which), rows);
  }

  /**
   * A table, or rows of it.
   *
   * @param rows - 0-based, any order, duplicates legal; absent = all
   * @throws InputError where it is no binary table, or it is damaged
   */
  table(which: string | number | Hdu, rows?: ArrayLike<number>): Table {
    const hdu = this.#resolve(which);
    if (hdu.kind !== "table") {
      throw new InputError(
        `${hdu.where}: holds ${hdu.kind === "none" ? "no data" : `an ${hdu.kind}`}, expected a binary table`,
      );
    }
    if (hdu.header.get("ZTABLE") === true) {
      throw new InputError(`${hdu.where}: is a compressed table; uncompress the file first (funpack)`);
    }
    const runs = rows === undefined ? [{ first: 0, count: hdu.rows }] : runsOf(rows, hdu.rows, hdu.where);
    const count = runs.reduce((sum, run) => sum + run.count, 0);
    const bytes = this.#rowBytes(hdu, runs, count);
    const columns: Column[] = columnLayouts(hdu).map((layout) =>
      decodeColumn(this.#source, hdu, layout, bytes, count)
    );
    return new Table(columns, { name: hdu.name, header: hdu.header, where: hdu.where, rows: count });
  }

  close(): void {
    this.#source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #resolve(which: string | number | Hdu): Hdu {
    return typeof which === "object" ? which : this.hdu(which);
  }

  #rowBytes(hdu: Hdu, runs: { first: number; count: number }[], count: number): Uint8Array {
    const size = hdu.header.integer("NAXIS1") ?? 0;
    const read = (run: { first: number; count: number }) =>
      this.#source.read(hdu.dataOffset + run.first * size, run.count * size);
    if (runs.length === 1) return read(runs[0]);
    const bytes = new Uint8Array(count * size);
    let at = 0;
    for (const run of runs) {
      bytes.set(read(run), at);
      at += run.count * size;
    }
    return bytes;
  }
}
