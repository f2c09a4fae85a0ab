/**
 * SDSS and BOSS spectra, spec-PLATE-MJD-FIBER: table COADD with flux, loglam, ivar, and_mask, wdisp, and table SPECOBJ.
 * https://data.sdss.org/datamodel/files/SPECTRO_REDUX/RUN2D/spectra/PLATE4/spec.html
 *
 * Wavelengths are vacuum, heliocentric. The pipeline has already set ivar = 0 where and_mask says that a pixel cannot be
 * used; its other bits (BRIGHTSKY above all) mark usable pixels, so the mask here is 1 where ivar ≤ 0 and 0 elsewhere.
 */
import { hasColumn } from "./fits_columns.ts";
import type { FitsFile } from "./fits_read.ts";
import type { Header } from "./fits_header.ts";
import { type Column, numberColumn, stringColumn, Table } from "./fits_table.ts";
import { InputError } from "./input_error.ts";
import { toFloat32 } from "./number_types.ts";
import { SingleSpectrum } from "./single_spectrum.ts";
import type { SpectrumFile } from "./spectra.ts";
import { checkIncreasing } from "./wavelength_check.ts";

/** Step of the grid in log10 λ, also the unit of wdisp. */
const STEP = 1e-4;

/** Whether the first table has a column LOGLAM. */
export function looksLikeSdss(file: FitsFile): boolean {
  const coadd = file.hdus[1];
  return coadd?.kind === "table" && hasColumn(coadd.header, "LOGLAM");
}

/**
 * @param file - open; closed on return
 * @throws InputError where a column is missing, shapes disagree, or wavelengths do not increase
 */
export function openSdss(file: FitsFile): SpectrumFile {
  const coadd = file.table(1);
  const header = file.hdus[0].header;
  const lam = wavelengths(coadd.float64("LOGLAM"));
  checkIncreasing(lam, coadd.where);
  const sigma = lineSpread(coadd, lam);
  const { fibermap, z } = describeTarget(file, header);
  const spectrum = new SingleSpectrum({
    path: file.path,
    format: "sdss",
    header,
    grids: [{
      setup: "sdss",
      arm: "opt",
      lam,
      medium: header.get("VACUUM") === false ? "air" : "vacuum",
      frame: "heliocentric",
      lsf: { kind: "table", sigma },
      ndiag: 0,
    }],
    flux: toFloat32(coadd.numbers("FLUX")),
    ivar: toFloat32(coadd.numbers("IVAR")),
    fibermap,
    catalogueZ: z,
  });
  file.close();
  return spectrum;
}

/**
 * λ = 10^loglam. The file has loglam as float32, good to 0.08 km/s only; where its values are those of the survey's grid,
 * multiples of 1e-4, the exact multiples are taken.
 */
function wavelengths(loglam: Float64Array): Float64Array {
  const onGrid = loglam.every((x) => Math.abs(x - Math.round(x / STEP) * STEP) < 1e-6);
  return loglam.map((x) => 10 ** (onGrid ? Math.round(x / STEP) / 1e4 : x));
}

/** Standard deviation in Å: wdisp is in pixels of 1e-4 dex. Pixels without one take that of the nearest with one. */
function lineSpread(coadd: Table, lam: Float64Array): Float64Array {
  const wdisp = coadd.float64("WDISP");
  const good = [...wdisp.keys()].filter((i) => wdisp[i] > 0 && Number.isFinite(wdisp[i]));
  if (good.length === 0) throw new InputError(`${coadd.where}: column WDISP has no positive value`);
  let k = 0;
  return wdisp.map((_, i) => {
    while (k + 1 < good.length && Math.abs(good[k + 1] - i) <= Math.abs(good[k] - i)) k++;
    return wdisp[good[k]] * STEP * Math.LN10 * lam[i];
  });
}

function describeTarget(file: FitsFile, header: Header): { fibermap: Table; z: number } {
  const hdu = file.find("SPECOBJ") ?? file.find("SPALL") ?? file.hdus[2] ?? null;
  const object = hdu?.kind === "table" && hdu.rows > 0 ? file.table(hdu, [0]) : null;
  const value = (column: string, ...keys: string[]): number => {
    const found = object?.find(column);
    if (found?.kind === "number") return Number(found.data[0]);
    for (const key of keys) {
      const card = header.get(key);
      if (typeof card === "number") return card;
    }
    return NaN;
  };
  const whole = (x: number): number => Number.isFinite(x) ? Math.round(x) : -1;
  const plate = whole(value("PLATE", "PLATEID"));
  const mjd = whole(value("MJD", "MJD"));
  const fibre = whole(value("FIBERID", "FIBERID"));
  const columns: Column[] = [
    numberColumn("TARGETID", BigInt64Array.of(specObjId(object) ?? composedId(plate, mjd, fibre))),
    numberColumn("TARGET_RA", Float64Array.of(value("PLUG_RA", "PLUG_RA", "RA")), { unit: "deg" }),
    numberColumn("TARGET_DEC", Float64Array.of(value("PLUG_DEC", "PLUG_DEC", "DEC")), { unit: "deg" }),
    numberColumn("PLATE", Int32Array.of(plate)),
    numberColumn("MJD", Int32Array.of(mjd)),
    numberColumn("FIBERID", Int32Array.of(fibre)),
    numberColumn("Z", Float64Array.of(value("Z"))),
  ];
  const kind = object?.find("CLASS");
  if (kind?.kind === "string") columns.push(stringColumn("CLASS", kind.data));
  return { fibermap: new Table(columns, { name: "FIBERMAP" }), z: value("Z") };
}

/** SPECOBJID where the file has one that fits in 63 bits. */
function specObjId(object: Table | null): bigint | null {
  const column = object?.find("SPECOBJID");
  const text = column?.kind === "string" || column?.kind === "number" ? String(column.data[0]).trim() : "";
  if (!/^\d{1,19}$/.test(text)) return null;
  const id = BigInt(text);
  return id > 0n && id < 1n << 63n ? id : null;
}

/** plate · 10^10 + MJD · 10^4 + fibre: unique, and readable in decimal. */
function composedId(plate: number, mjd: number, fibre: number): bigint {
  return BigInt(Math.max(0, plate)) * 10000000000n + BigInt(Math.max(0, mjd)) * 10000n +
    BigInt(Math.max(0, fibre));
}
