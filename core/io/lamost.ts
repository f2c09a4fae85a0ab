/**
 * LAMOST low-resolution spectra. New releases: table COADD, one row, vector columns FLUX, IVAR, WAVELENGTH, ANDMASK.
 * Old ones: primary image of shape (5, npix), rows flux, ivar, wavelength, andmask, ormask.
 * http://www.lamost.org/dr10/v1.0/doc/lr-data-production-description
 *
 * Wavelengths are vacuum, heliocentric (the header's VACUUM and HELIO are obeyed), R = 1800. The pipeline sets ivar = 0 in
 * pixels that cannot be used; ANDMASK marks others that can, so the mask here is 1 where ivar ≤ 0 and 0 elsewhere.
 *
 * The spectrum is cut at 5800 Å into its blue arm `b` and its red arm `r`. The red one is fitted only when asked for: on
 * the 15 stars of our tests its velocities lie 18 km/s (5950–6840 Å) to 75 km/s (8350–8900 Å) above those of the blue
 * one, by plate; LAMOST's own parameters come from 4200–5700 Å too.
 */
import { hasColumn } from "./fits_columns.ts";
import type { FitsFile } from "./fits_read.ts";
import type { Header } from "./fits_header.ts";
import { type Column, numberColumn, stringColumn, Table } from "./fits_table.ts";
import { InputError } from "./input_error.ts";
import { toFloat32, toFloat64 } from "./number_types.ts";
import { SingleSpectrum } from "./single_spectrum.ts";
import type { ArmGrid, SpectrumFile } from "./spectra.ts";
import { checkIncreasing } from "./wavelength_check.ts";

/** Resolving power of the low-resolution survey with its 2/3 slit. */
const RESOLVING_POWER = 1800;

/** The spectrographs' blue and red arms are stored as one spectrum, joined near here, Å. */
const ARM_BOUNDARY = 5800;
const RED_ON_REQUEST =
  "the wavelength zero points of LAMOST's arms differ (its red arm by tens of km/s on some plates)";

/** Whether the file is a new release's (first table with FLUX and WAVELENGTH), or an old one's (primary image). */
export function looksLikeLamost(file: FitsFile): boolean {
  const [primary, coadd] = file.hdus;
  if (coadd?.kind === "table" && hasColumn(coadd.header, "WAVELENGTH") && hasColumn(coadd.header, "FLUX")) {
    return true;
  }
  return isOldLayout(primary.shape) &&
    /LAMOST/i.test(`${primary.header.get("TELESCOP")} ${primary.header.get("ORIGIN")}`);
}

function isOldLayout(shape: readonly number[]): boolean {
  return shape.length === 2 && shape[0] >= 3 && shape[0] <= 6 && shape[1] > shape[0];
}

/**
 * @param file - open; closed on return
 * @throws InputError where a column is missing, shapes disagree, or wavelengths do not increase
 */
export function openLamost(file: FitsFile): SpectrumFile {
  const header = file.hdus[0].header;
  const { flux, ivar, lam, where } = file.hdus[0].kind === "image" ? readImage(file) : readTable(file);
  checkIncreasing(lam, where);
  const shared = {
    medium: header.get("VACUUM") === false ? "air" as const : "vacuum" as const,
    frame: header.get("HELIO") === false ? "topocentric" as const : "heliocentric" as const,
    lsf: { kind: "resolution" as const, R: RESOLVING_POWER },
    ndiag: 0,
  };
  const cut = lam.findIndex((x) => x >= ARM_BOUNDARY);
  const boundary = cut < 0 ? lam.length : cut;
  const grids: ArmGrid[] = [
    { setup: "lamost_b", arm: "b", lam: lam.slice(0, boundary), ...shared },
    {
      setup: "lamost_r",
      arm: "r",
      lam: lam.slice(boundary),
      ...shared,
      ...(boundary > 1 ? { onRequest: RED_ON_REQUEST } : {}),
    },
  ].filter((grid) => grid.lam.length > 1);
  const spectrum = new SingleSpectrum({
    path: file.path,
    format: "lamost",
    header,
    grids,
    flux,
    ivar,
    fibermap: describeTarget(header),
    catalogueZ: redshift(header),
  });
  file.close();
  return spectrum;
}

interface Pixels {
  flux: Float32Array;
  ivar: Float32Array;
  lam: Float64Array;
  where: string;
}

function readTable(file: FitsFile): Pixels {
  const coadd = file.table(1);
  if (coadd.rows !== 1) {
    throw new InputError(`${coadd.where}: has ${coadd.rows} rows, expected one spectrum a file`);
  }
  return {
    flux: toFloat32(coadd.numbers("FLUX")),
    ivar: toFloat32(coadd.numbers("IVAR")),
    lam: coadd.float64("WAVELENGTH"),
    where: coadd.where,
  };
}

function readImage(file: FitsFile): Pixels {
  const { shape, data } = file.image(0);
  const npix = shape[1];
  return {
    flux: toFloat32(data.slice(0, npix)),
    ivar: toFloat32(data.slice(npix, 2 * npix)),
    lam: toFloat64(data.slice(2 * npix, 3 * npix)),
    where: file.hdus[0].where,
  };
}

/** LAMOST writes −9999 where its pipeline found no redshift. */
function redshift(header: Header): number {
  const z = header.get("Z");
  return typeof z === "number" && z > -100 ? z : NaN;
}

function describeTarget(header: Header): Table {
  const value = (key: string): number => {
    const card = header.get(key);
    return typeof card === "number" ? card : NaN;
  };
  const whole = (key: string): number => Number.isFinite(value(key)) ? value(key) : -1;
  const text = (key: string): string => {
    const card = header.get(key);
    return typeof card === "string" ? card : "";
  };
  const obsid = header.get("OBSID");
  const columns: Column[] = [
    numberColumn(
      "TARGETID",
      BigInt64Array.of(typeof obsid === "number" || typeof obsid === "bigint" ? BigInt(obsid) : -1n),
    ),
    numberColumn("TARGET_RA", Float64Array.of(value("RA")), { unit: "deg" }),
    numberColumn("TARGET_DEC", Float64Array.of(value("DEC")), { unit: "deg" }),
    stringColumn("DESIG", [text("DESIG")]),
    stringColumn("PLANID", [text("PLANID")]),
    numberColumn("LMJD", Int32Array.of(whole("LMJD"))),
    numberColumn("SPID", Int32Array.of(whole("SPID"))),
    numberColumn("FIBERID", Int32Array.of(whole("FIBERID"))),
    numberColumn("Z", Float64Array.of(redshift(header))),
    stringColumn("CLASS", [text("CLASS")]),
    stringColumn("SUBCLASS", [text("SUBCLASS")]),
  ];
  return new Table(columns, { name: "FIBERMAP" });
}
