/** A file that holds one spectrum of one arm, in memory. */
import type { Header } from "./fits_header.ts";
import type { Table } from "./fits_table.ts";
import { InputError } from "./input_error.ts";
import type { ArmGrid, ArmRows, SpectrumFile } from "./spectra.ts";

export interface SingleSpectrumContent {
  readonly path: string;
  readonly format: "sdss" | "lamost";
  readonly header: Header;
  readonly grid: ArmGrid;
  /** Shape (npix). */
  readonly flux: Float32Array;
  /** Shape (npix). */
  readonly ivar: Float32Array;
  readonly fibermap: Table;
  /** NaN if none. */
  readonly catalogueZ: number;
}

export class SingleSpectrum implements SpectrumFile {
  readonly path: string;
  readonly format: "sdss" | "lamost";
  readonly rows = 1;
  readonly arms: readonly ArmGrid[];
  readonly header: Header;
  readonly fibermap: Table;
  readonly scores = null;
  readonly expFibermap = null;
  readonly catalogueZ: Float64Array;
  readonly #flux: Float32Array;
  readonly #ivar: Float32Array;
  readonly #mask: Int32Array;

  /** @throws InputError where wavelengths, flux and ivar differ in length */
  constructor(content: SingleSpectrumContent) {
    const { path, grid, flux, ivar } = content;
    if (flux.length !== grid.lam.length || ivar.length !== grid.lam.length) {
      throw new InputError(
        `${path}: wavelengths have shape (${grid.lam.length}), flux (${flux.length}), ivar (${ivar.length}); ` +
          `expected equal ones`,
      );
    }
    this.path = path;
    this.format = content.format;
    this.arms = [grid];
    this.header = content.header;
    this.fibermap = content.fibermap;
    this.catalogueZ = Float64Array.of(content.catalogueZ);
    this.#flux = flux;
    this.#ivar = ivar;
    this.#mask = Int32Array.from(ivar, (weight) => weight > 0 ? 0 : 1);
  }

  read(arm: number, rows: ArrayLike<number>, withResolution: boolean): ArmRows {
    if (arm !== 0) throw new RangeError(`${this.path}: arm ${arm} of 1`);
    if (withResolution) {
      throw new InputError(
        `${this.path}: ${this.format} files have no resolution matrix; run without the resolution matrix`,
      );
    }
    for (let i = 0; i < rows.length; i++) {
      if (rows[i] !== 0) throw new RangeError(`${this.path}: row ${rows[i]} of 1`);
    }
    const n = rows.length;
    return {
      flux: repeated(this.#flux, new Float32Array(n * this.#flux.length)),
      ivar: repeated(this.#ivar, new Float32Array(n * this.#ivar.length)),
      mask: repeated(this.#mask, new Int32Array(n * this.#mask.length)),
      resolution: null,
    };
  }

  close(): void {}
}

function repeated<T extends Float32Array | Int32Array>(row: T, out: T): T {
  for (let at = 0; at < out.length; at += row.length) out.set(row, at);
  return out;
}
