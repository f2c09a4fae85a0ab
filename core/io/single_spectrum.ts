/** A file that holds one spectrum, in memory, as one arm or cut into several. */
import type { Header } from "./fits_header.ts";
import type { Table } from "./fits_table.ts";
import { InputError } from "./input_error.ts";
import type { ArmGrid, ArmRows, SpectrumFile } from "./spectra.ts";

export interface SingleSpectrumContent {
  readonly path: string;
  readonly format: "sdss" | "lamost";
  readonly header: Header;
  /** Arms in order of wavelength; one after the other they are the pixels of the file. */
  readonly grids: readonly ArmGrid[];
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
    const { path, grids, flux, ivar } = content;
    const npix = grids.reduce((sum, grid) => sum + grid.lam.length, 0);
    if (flux.length !== npix || ivar.length !== npix) {
      throw new InputError(
        `${path}: wavelengths have shape (${npix}), flux (${flux.length}), ivar (${ivar.length}); ` +
          `expected equal ones`,
      );
    }
    this.path = path;
    this.format = content.format;
    this.arms = grids;
    this.header = content.header;
    this.fibermap = content.fibermap;
    this.catalogueZ = Float64Array.of(content.catalogueZ);
    this.#flux = flux;
    this.#ivar = ivar;
    this.#mask = Int32Array.from(ivar, (weight) => weight > 0 ? 0 : 1);
  }

  read(arm: number, rows: ArrayLike<number>, withResolution: boolean): ArmRows {
    const grid = this.arms[arm];
    if (grid === undefined) throw new RangeError(`${this.path}: arm ${arm} of ${this.arms.length}`);
    if (withResolution) {
      throw new InputError(
        `${this.path}: ${this.format} files have no resolution matrix; run without the resolution matrix`,
      );
    }
    for (let i = 0; i < rows.length; i++) {
      if (rows[i] !== 0) throw new RangeError(`${this.path}: row ${rows[i]} of 1`);
    }
    const npix = grid.lam.length;
    const first = this.arms.slice(0, arm).reduce((sum, before) => sum + before.lam.length, 0);
    const size = rows.length * npix;
    return {
      flux: repeated(this.#flux.subarray(first, first + npix), new Float32Array(size)),
      ivar: repeated(this.#ivar.subarray(first, first + npix), new Float32Array(size)),
      mask: repeated(this.#mask.subarray(first, first + npix), new Int32Array(size)),
      resolution: null,
    };
  }

  close(): void {}
}

function repeated<T extends Float32Array | Int32Array>(row: T, out: T): T {
  for (let at = 0; at < out.length; at += row.length) out.set(row, at);
  return out;
}
