/** A finished bundle as bytes: an item of the journal of an extraction. */
import { concat } from "../journal.ts";
import type { PlannedBundle } from "./bundles.ts";
import type { BundleResult, Cutout } from "./job.ts";

/** The kept fibres of a bundle. */
export interface KeptBundle {
  readonly fibres: number;
  readonly bins: number;
  /** All of shape (fibres, bins); per bin, before any cast. */
  readonly flux: Float64Array;
  readonly ivar: Float64Array;
  readonly chi2pix: Float64Array;
  readonly pixmaskFraction: Float64Array;
  readonly flags: Uint32Array;
  /** Shape (fibres, bands, bins). */
  readonly resolution: Float32Array;
  readonly model: { readonly cutout: Cutout; readonly data: Float64Array } | null;
}

/** Those fibres of a bundle that were asked for. */
export function keptOf(result: BundleResult, { keep, kept }: PlannedBundle): KeptBundle {
  const bins = result.flux.length / result.fibres;
  const rows = <A extends Float64Array | Uint32Array>(array: A, row: number): A =>
    array.subarray(keep * row, (keep + kept) * row) as A;
  return {
    fibres: kept,
    bins,
    flux: rows(result.flux, bins),
    ivar: rows(result.ivar, bins),
    chi2pix: rows(result.chi2pix, bins),
    pixmaskFraction: rows(result.pixmaskFraction, bins),
    flags: rows(result.flags, bins),
    resolution: Float32Array.from(rows(result.resolution, bins * result.bands)),
    model: result.model ?? null,
  };
}

/** Head: fibres, bins, bands, x0, y0, columns, rows of the model, 0; i32. Then the arrays, largest numbers first. */
export function encodeBundle(bundle: KeptBundle): Uint8Array {
  const { fibres, bins, flux, ivar, chi2pix, pixmaskFraction, flags, resolution, model } = bundle;
  const bands = fibres * bins === 0 ? 0 : resolution.length / (fibres * bins);
  const { x0, y0, columns, rows } = model?.cutout ?? { x0: 0, y0: 0, columns: 0, rows: 0 };
  const head = Int32Array.of(fibres, bins, bands, x0, y0, columns, rows, model === null ? 0 : 1);
  const numbers = [flux, ivar, chi2pix, pixmaskFraction, ...(model === null ? [] : [model.data])];
  return concat(
    [head, ...numbers, flags, resolution].map((array) =>
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    ),
  );
}

/** The inverse of {@link encodeBundle}. */
export function decodeBundle(bytes: Uint8Array<ArrayBuffer>): KeptBundle {
  const [fibres, bins, bands, x0, y0, columns, rows, modelled] = new Int32Array(
    bytes.buffer,
    0,
    8,
  ) as unknown as [number, number, number, number, number, number, number, number];
  const n = fibres * bins;
  let at = 32;
  const doubles = (length: number) => {
    const from = at;
    at += 8 * length;
    return new Float64Array(bytes.buffer, from, length);
  };
  const flux = doubles(n), ivar = doubles(n), chi2pix = doubles(n), pixmaskFraction = doubles(n);
  const model = modelled === 0 ? null : { cutout: { x0, y0, columns, rows }, data: doubles(columns * rows) };
  const flags = new Uint32Array(bytes.buffer, at, n);
  const resolution = new Float32Array(bytes.buffer, at + 4 * n, n * bands);
  return { fibres, bins, flux, ivar, chi2pix, pixmaskFraction, flags, resolution, model };
}
