/**
 * DESI spectra: coadd-*, spectra-* (arms b, r, z in HDUs B_FLUX, B_IVAR...) and cframe-*, frame-* (one arm in HDUs FLUX,
 * IVAR..., its name from the header's CAMERA). https://desidatamodel.readthedocs.io
 *
 * Wavelengths are vacuum, and barycentric unless the header of a frame says that they were not corrected. Masks are
 * returned as bit patterns, not 0 = bad. The line spread is a nominal one; the resolution matrix is the measured one.
 */
import type { FitsFile, Hdu } from "./fits_read.ts";
import type { Header } from "./fits_header.ts";
import type { Table } from "./fits_table.ts";
import { InputError } from "./input_error.ts";
import { toFloat32, toFloat64, toInt32 } from "./number_types.ts";
import type { ArmGrid, ArmRows, Frame, SpectrumFile } from "./spectra.ts";
import { checkIncreasing } from "./wavelength_check.ts";

/** Nominal full width at half maximum of the line spread, Å. */
const FWHM: Readonly<Record<string, number>> = { b: 1.55, r: 1.55, z: 1.8 };
const PARTS = ["WAVELENGTH", "FLUX", "IVAR", "MASK"] as const;

interface ArmHdus {
  readonly grid: ArmGrid;
  readonly flux: Hdu;
  readonly ivar: Hdu;
  readonly mask: Hdu;
  readonly resolution: Hdu | null;
}

/** Whether the HDU names are those of a coadd or spectra file: any B_FLUX, R_IVAR... */
export function looksLikeDesi(file: FitsFile): boolean {
  return file.hdus.some((hdu) => /^[BRZ]_(WAVELENGTH|FLUX|IVAR|MASK)$/.test(hdu.name));
}

/** Whether the HDU names are those of a frame: FLUX, IVAR and a wavelength grid. */
export function looksLikeDesiFrame(file: FitsFile): boolean {
  return ["FLUX", "IVAR", "WAVELENGTH"].every((name) => file.find(name) !== null);
}

/**
 * A coadd or spectra file. Arms with none of their HDUs are left out.
 *
 * @param file - open; the result closes it
 * @throws InputError where FIBERMAP is missing, an arm lacks one of its HDUs, or shapes disagree
 */
export function openDesi(file: FitsFile): SpectrumFile {
  const fibermap = readFibermap(file);
  const arms: ArmHdus[] = [];
  for (const arm of ["b", "r", "z"]) {
    const prefix = `${arm.toUpperCase()}_`;
    if (PARTS.some((part) => file.find(prefix + part) !== null)) {
      arms.push(armHdus(file, arm, prefix, fibermap, "barycentric"));
    }
  }
  if (arms.length === 0) throw new InputError(`${file.path}: has none of the arms b, r, z`);
  const format = fibermap.has("COADD_FIBERSTATUS") || fibermap.has("COADD_NUMEXP")
    ? "desi-coadd"
    : "desi-spectra";
  return new DesiSpectra(file, format, arms, fibermap);
}

/**
 * A frame or cframe: one arm. Where FIBERMAP has more rows than there are spectra, those of the fibres from the header's
 * FIBERMIN on are taken.
 *
 * @param file - open; the result closes it
 * @throws InputError as {@link openDesi}, or where the header has no CAMERA b0 … z9
 */
export function openDesiFrame(file: FitsFile): SpectrumFile {
  const fibermap = fibermapOfFibres(file, readFibermap(file));
  const camera = file.hdus[0].header.string("CAMERA") ?? file.hdu("FLUX").header.string("CAMERA");
  const arm = camera?.trim()[0]?.toLowerCase() ?? "";
  if (FWHM[arm] === undefined) {
    throw new InputError(`${file.path}: header keyword CAMERA is ${camera ?? "missing"}, expected b0 … z9`);
  }
  const hdus = armHdus(file, arm, "", fibermap, frameOf(file.hdus[0].header));
  return new DesiSpectra(file, "desi-frame", [hdus], fibermap);
}

/** A factor HELIOCOR of 1 is that of an extraction without correction; a header that says nothing is the pipeline's. */
function frameOf(header: Header): Frame {
  const factor = header.get("HELIOCOR");
  if (typeof factor === "number" || typeof factor === "bigint") {
    return Number(factor) === 1 ? "topocentric" : "barycentric";
  }
  return String(header.get("SPECSYS")).startsWith("TOPO") ? "topocentric" : "barycentric";
}

function readFibermap(file: FitsFile): Table {
  if (file.find("FIBERMAP") === null) {
    throw new InputError(`${file.path}: has no HDU FIBERMAP, which tells whose spectra these are`);
  }
  const fibermap = file.table("FIBERMAP");
  fibermap.int64("TARGETID");
  return fibermap;
}

function fibermapOfFibres(file: FitsFile, fibermap: Table): Table {
  const flux = file.hdu("FLUX");
  const first = file.hdus[0].header.integer("FIBERMIN") ?? flux.header.integer("FIBERMIN");
  const count = flux.shape[0];
  if (fibermap.rows === count || first === undefined || !fibermap.has("FIBER")) return fibermap;
  const rows = [...fibermap.int32("FIBER").entries()]
    .filter(([, fibre]) => fibre >= first && fibre < first + count)
    .map(([row]) => row);
  return fibermap.take(rows);
}

function armHdus(file: FitsFile, arm: string, prefix: string, fibermap: Table, frame: Frame): ArmHdus {
  const need = (part: string): Hdu => {
    const hdu = file.find(prefix + part);
    if (hdu !== null) return hdu;
    throw new InputError(`${file.path}: arm ${arm} has no HDU ${prefix}${part}`);
  };
  const [wavelength, flux, ivar, mask] = PARTS.map(need);
  const resolution = file.find(`${prefix}RESOLUTION`);
  const lam = readWavelengths(file, wavelength);
  const shape = [fibermap.rows, lam.length];
  if (flux.shape.length !== 2 || flux.shape[1] !== lam.length) throw shapeFault(flux, wavelength);
  if (flux.shape[0] !== fibermap.rows) {
    throw new InputError(
      `${flux.where}: has shape (${flux.shape.join(", ")}), but FIBERMAP has ${fibermap.rows} rows`,
    );
  }
  for (const hdu of [ivar, mask]) {
    if (!sameShape(hdu.shape, shape)) throw shapeFault(hdu, flux);
  }
  const ndiag = resolution === null ? 0 : resolution.shape[1] ?? 0;
  if (resolution !== null && !sameShape(resolution.shape, [shape[0], ndiag, shape[1]])) {
    throw shapeFault(resolution, flux);
  }
  const grid: ArmGrid = {
    setup: `desi_${arm}`,
    arm,
    lam,
    medium: "vacuum",
    frame,
    lsf: { kind: "fwhm", angstrom: FWHM[arm] },
    ndiag,
  };
  return { grid, flux, ivar, mask, resolution };
}

function readWavelengths(file: FitsFile, hdu: Hdu): Float64Array {
  if (hdu.shape.length !== 1) {
    throw new InputError(
      `${hdu.where}: has shape (${hdu.shape.join(", ")}), expected one wavelength grid (npix)`,
    );
  }
  const lam = toFloat64(file.image(hdu).data);
  checkIncreasing(lam, hdu.where);
  return lam;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function shapeFault(hdu: Hdu, other: Hdu): InputError {
  return new InputError(
    `${hdu.where}: has shape (${hdu.shape.join(", ")}), which does not fit ${other.name} ` +
      `of shape (${other.shape.join(", ")})`,
  );
}

class DesiSpectra implements SpectrumFile {
  readonly path: string;
  readonly rows: number;
  readonly arms: readonly ArmGrid[];
  readonly header: Header;
  readonly scores: Table | null;
  readonly expFibermap: Table | null;
  readonly catalogueZ = null;
  readonly #file: FitsFile;
  readonly #arms: readonly ArmHdus[];

  constructor(
    file: FitsFile,
    readonly format: SpectrumFile["format"],
    arms: readonly ArmHdus[],
    readonly fibermap: Table,
  ) {
    this.path = file.path;
    this.rows = fibermap.rows;
    this.arms = arms.map(({ grid }) => grid);
    this.header = file.hdus[0].header;
    const scores = file.find("SCORES");
    this.scores = scores === null ? null : file.table(scores);
    if (this.scores !== null && this.scores.rows !== this.rows) {
      throw new InputError(`${scores!.where}: has ${this.scores.rows} rows, but FIBERMAP has ${this.rows}`);
    }
    const exposures = file.find("EXP_FIBERMAP");
    this.expFibermap = exposures === null ? null : file.table(exposures);
    this.#file = file;
    this.#arms = arms;
  }

  read(arm: number, rows: ArrayLike<number>, withResolution: boolean): ArmRows {
    const { grid, flux, ivar, mask, resolution } = this.#arms[arm];
    if (withResolution && resolution === null) {
      const name = this.format === "desi-frame" ? "RESOLUTION" : `${grid.arm.toUpperCase()}_RESOLUTION`;
      throw new InputError(
        `${this.path}: arm ${grid.arm} has no HDU ${name}; run without the resolution matrix`,
      );
    }
    return {
      flux: toFloat32(this.#file.image(flux, rows).data),
      ivar: toFloat32(this.#file.image(ivar, rows).data),
      mask: toInt32(this.#file.image(mask, rows).data),
      resolution: withResolution ? toFloat32(this.#file.image(resolution!, rows).data) : null,
    };
  }

  close(): void {
    this.#file.close();
  }
}
