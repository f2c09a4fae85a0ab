/** Small files of spectra in the layouts of the surveys, made with this project's writer. */
import { Header } from "../../core/io/fits_header.ts";
import { numberColumn, stringColumn, Table } from "../../core/io/fits_table.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import type { NumberArray } from "../../core/io/number_types.ts";

export interface DesiFixture {
  rows?: number;
  npix?: number;
  ndiag?: number;
  /** HDUs to leave out. */
  omit?: string[];
  /** HDUs to write with another shape. */
  reshape?: Record<string, number[]>;
  /** Old column names and an unsigned mask. */
  old?: boolean;
}

/** Flux of a row and pixel of the fixtures. */
export const fluxAt = (arm: number, row: number, pixel: number): number => 100 * arm + row + pixel / 16;

function ramp(shape: number[], fn: (i: number) => number): { shape: number[]; data: Float32Array } {
  const n = shape.reduce((product, length) => product * length, 1);
  return { shape, data: Float32Array.from({ length: n }, (_, i) => fn(i)) };
}

/** A coadd file, or a spectra file where `old` is set. */
export function makeDesi(path: string, fixture: DesiFixture = {}): void {
  const { rows = 4, npix = 30, ndiag = 5, omit = [], reshape = {}, old = false } = fixture;
  using writer = FitsWriter.create(path, new Header().set("SPGRP", "healpix"));
  const wanted = (name: string): boolean => !omit.includes(name);
  const image = (name: string, shape: number[], data: NumberArray): void => {
    if (!wanted(name)) return;
    const final = reshape[name] ?? shape;
    const n = final.reduce((product, length) => product * length, 1);
    const fitted = n === data.length
      ? data
      : data.slice(0, 0).constructor === Float64Array
      ? Float64Array.from({ length: n }, (_, i) => 3600 + i)
      : new Float32Array(n);
    writer.addWholeImage({ name, shape: final, data: fitted });
  };
  if (wanted("FIBERMAP")) writer.addTable({ name: "FIBERMAP", table: makeFibermap(rows, old) });
  if (!old && wanted("EXP_FIBERMAP")) {
    writer.addTable({ name: "EXP_FIBERMAP", table: makeFibermap(2 * rows, true) });
  }
  ["B", "R", "Z"].forEach((arm, k) => {
    const n = npix + k;
    image(`${arm}_WAVELENGTH`, [n], Float64Array.from({ length: n }, (_, i) => 3600 + 2000 * k + 0.8 * i));
    image(`${arm}_FLUX`, [rows, n], ramp([rows, n], (i) => fluxAt(k, Math.floor(i / n), i % n)).data);
    image(`${arm}_IVAR`, [rows, n], ramp([rows, n], (i) => i % 7).data);
    const mask = old ? new Uint32Array(rows * n) : new Int32Array(rows * n);
    mask[1] = old ? 2147483650 : 2;
    image(`${arm}_MASK`, [rows, n], mask);
    image(`${arm}_RESOLUTION`, [rows, ndiag, n], ramp([rows, ndiag, n], (i) => i / 8).data);
  });
  if (wanted("SCORES")) writer.addTable({ name: "SCORES", table: makeScores(rows) });
  writer.commit();
}

function makeFibermap(rows: number, old: boolean): Table {
  const index = Array.from({ length: rows }, (_, i) => i);
  return new Table([
    numberColumn("TARGETID", BigInt64Array.from(index, (i) => 39627000000000000n + BigInt(i))),
    numberColumn(old ? "FIBERSTATUS" : "COADD_FIBERSTATUS", new Int32Array(rows)),
    numberColumn("TARGET_RA", Float64Array.from(index), { unit: "deg" }),
    numberColumn("FIBER", Int32Array.from(index, (i) => 100 + i)),
    stringColumn("OBJTYPE", index.map(() => "TGT")),
  ]);
}

function makeScores(rows: number): Table {
  return new Table([
    numberColumn("TARGETID", BigInt64Array.from({ length: rows }, (_, i) => 39627000000000000n + BigInt(i))),
    numberColumn("MEDIAN_COADD_SNR_B", new Float32Array(rows).fill(3)),
  ]);
}

/** A cframe of 5 fibres; its FIBERMAP has `fibermapRows` rows from fibre 100 on. */
export function makeFrame(
  path: string,
  camera: string | null,
  header: Header = new Header(),
  fibermapRows = 5,
): void {
  if (camera !== null) header.set("CAMERA", camera);
  using writer = FitsWriter.create(path, header, { name: "FLUX", type: "float32", shape: [5, 8] });
  writer.writeRows(writer.primary, 0, ramp([5, 8], (i) => i).data);
  writer.addWholeImage({ name: "IVAR", shape: [5, 8], data: new Float32Array(40).fill(1) });
  writer.addWholeImage({ name: "MASK", shape: [5, 8], data: new BigInt64Array(40) });
  writer.addWholeImage({
    name: "WAVELENGTH",
    shape: [8],
    data: Float64Array.from({ length: 8 }, (_, i) => 5760 + i),
  });
  writer.addWholeImage({ name: "RESOLUTION", shape: [5, 3, 8], data: new Float32Array(120).fill(0.5) });
  writer.addTable({ name: "FIBERMAP", table: makeFibermap(fibermapRows, true) });
  writer.commit();
}

export interface SdssFixture {
  npix?: number;
  specObjId?: string;
  dropColumn?: string;
}

/** An SDSS spec file. */
export function makeSdss(path: string, fixture: SdssFixture = {}): void {
  const { npix = 50, specObjId = "   299497923312379904", dropColumn } = fixture;
  using writer = FitsWriter.create(
    path,
    new Header().set("PLATEID", 266).set("MJD", 51602).set("FIBERID", 31),
  );
  const coadd = new Table([
    numberColumn("flux", ramp([npix], (i) => i).data),
    numberColumn("loglam", ramp([npix], (i) => 3.5798 + 1e-4 * i).data),
    numberColumn("ivar", ramp([npix], (i) => i % 10 === 3 ? 0 : 4).data),
    numberColumn("and_mask", new Int32Array(npix).fill(1 << 23)),
    numberColumn("wdisp", ramp([npix], (i) => i === 5 ? 0 : 1.2).data),
  ]);
  writer.addTable({ name: "COADD", table: new Table(coadd.columns.filter((c) => c.name !== dropColumn)) });
  writer.addTable({
    name: "SPECOBJ",
    table: new Table([
      stringColumn("SPECOBJID", [specObjId]),
      numberColumn("PLATE", Int32Array.of(266)),
      numberColumn("Z", Float32Array.of(0.25)),
      stringColumn("CLASS", ["STAR"]),
    ]),
  });
  writer.commit();
}

/** A LAMOST file of a new release, or of an old one. */
export function makeLamost(path: string, old: boolean, npix = 40): void {
  const header = new Header().set("TELESCOP", "LAMOST").set("OBSID", 3703110).set("VACUUM", true).set(
    "HELIO",
    true,
  )
    .set("Z", -9999).set("RA", 138.08).set("DEC", 27.89).set("CLASS", "STAR");
  const flux = ramp([npix], (i) => 10 + i).data;
  const ivar = ramp([npix], (i) => i % 5).data;
  const wavelength = ramp([npix], (i) => 3700 + i).data;
  if (!old) {
    using writer = FitsWriter.create(path, header);
    const shape = [npix];
    writer.addTable({
      name: "COADD",
      table: new Table([
        numberColumn("FLUX", flux, { shape }),
        numberColumn("IVAR", ivar, { shape }),
        numberColumn("WAVELENGTH", wavelength, { shape }),
        numberColumn("ANDMASK", new Float32Array(npix).fill(4), { shape }),
      ]),
    });
    writer.commit();
    return;
  }
  using writer = FitsWriter.create(path, header, { name: "Flux", type: "float32", shape: [5, npix] });
  [flux, ivar, wavelength].forEach((row, i) => writer.writeRows(writer.primary, i, row));
  writer.commit();
}
