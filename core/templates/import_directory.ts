/**
 * Import of a folder of model spectra, one file each, with their parameters either in a table `params.csv`
 *
 *     file,teff,logg,feh,alpha
 *     t05000g4.5m0.0.fits,5000,4.5,0,0
 *
 * or in FITS keywords (PHXTEFF, PHXLOGG, PHXM_H, PHXALPHA unless others are named). Sub-folders are searched too.
 * Spectra bring their wavelengths (see import_spectrum.ts), or share a file of them, named WAVE… or as told.
 *
 * The flux is per unit wavelength. Spectra are smoothed to σ = 0.5 Å on a grid of 15 km/s; where the source itself is
 * not that sharp, it is kept at its own resolution. Spectra with zeros or gaps leave holes in the grid.
 */
import { readdirSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { airToVacuum } from "../io/frame_conversion.ts";
import { InputError } from "../io/input_error.ts";
import { checkIncreasing } from "../io/wavelength_check.ts";
import type { LineSpread } from "../io/spectra.ts";
import { parseCsv } from "./csv.ts";
import {
  armOfRows,
  assemble,
  DEFAULT_RANGE,
  FULL_DLNLAM,
  FULL_SIGMA,
  type ImportOptions,
  lnFlux,
  PHOENIX_KEYWORDS,
} from "./import_options.ts";
import { isFitsName, isTextName, type ModelSpectrum, readModelSpectrum } from "./import_spectrum.ts";
import type { TemplateLibrary } from "./library.ts";
import { FWHM_PER_SIGMA } from "./line_spread.ts";
import { gridWavelengths, type LnGrid, lnGrid, type Resampler, resampler } from "./resample.ts";

const PARAMS = "params.csv";

/** All files below a folder, relative, sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replace(/^\//, ""))
    .sort();
}

/** Files with their parameters: by the table where there is one, else all FITS files. */
interface Listing {
  readonly names: readonly string[];
  readonly files: readonly { readonly path: string; readonly values: readonly number[] | null }[];
}

function listing(folder: string, options: ImportOptions): Listing {
  const files = filesBelow(folder);
  if (files.includes(PARAMS)) {
    const path = join(folder, PARAMS);
    const { names, rows } = parseCsv(path);
    const at = names.indexOf("file");
    if (at < 0) throw new InputError(`${path}: has no column "file"; it holds ${names.join(", ")}`);
    return {
      names: names.filter((_, i) => i !== at),
      files: rows.map((row, r) => {
        const values = row.filter((_, i) => i !== at).map(Number);
        if (row.some((cell, i) => i !== at && cell === "") || values.some(Number.isNaN)) {
          throw new InputError(`${path}: row ${r + 1} holds something that is no number: ${row.join(",")}`);
        }
        return { path: join(folder, row[at]), values };
      }),
    };
  }
  const spectra = files.filter((name) => isFitsName(name) && !/^wave/i.test(basename(name)));
  return {
    names: Object.keys(options.keywords ?? PHOENIX_KEYWORDS),
    files: spectra.map((name) => ({ path: join(folder, name), values: null })),
  };
}

function sharedWavelengths(folder: string, options: ImportOptions): Float64Array | null {
  const found = options.wavefile ??
    filesBelow(folder).find((name) =>
      /^wave/i.test(basename(name)) && (isFitsName(name) || isTextName(name))
    );
  if (found === undefined) return null;
  const { lam, flux } = readModelSpectrum(isAbsolute(found) ? found : join(folder, found));
  // An image of wavelengths reads as flux without a scale.
  return lam ?? flux;
}

/** Parameters by keyword; alpha may be missing and is 0 then. */
function headerValues({ header }: ModelSpectrum, path: string, options: ImportOptions): number[] {
  return Object.entries(options.keywords ?? PHOENIX_KEYWORDS).map(([name, key]) => {
    const value = header?.number(key);
    if (value === undefined && name !== "alpha") {
      throw new InputError(
        `${path}: has no keyword ${key} for ${name}; give the parameters in ${PARAMS} (file,teff,logg,feh,alpha)`,
      );
    }
    return value ?? 0;
  });
}

/**
 * Imports a folder of model spectra.
 *
 * @throws InputError where it holds none, or they do not belong together
 */
export function importDirectory(folder: string, options: ImportOptions): TemplateLibrary {
  const { names, files } = listing(folder, options);
  if (files.length === 0) {
    throw new InputError(`${folder}: holds no model spectra: no FITS files and no ${PARAMS}`);
  }
  const shared = sharedWavelengths(folder, options);
  const maker = new RowMaker(options);
  const rows: Float32Array[] = [], params: number[] = [];
  let left = 0;
  for (const { path, values } of files) {
    const spectrum = readModelSpectrum(path);
    const lam = spectrum.lam ?? shared;
    if (lam === null) {
      throw new InputError(
        `${path}: has no wavelengths: no CRVAL1 and CDELT1, and the folder has no file WAVE…`,
      );
    }
    if (lam.length !== spectrum.flux.length) {
      throw new InputError(`${path}: has ${spectrum.flux.length} pixels for ${lam.length} wavelengths`);
    }
    const row = maker.row(lam, spectrum, path);
    if (row === null) {
      left++;
      continue;
    }
    rows.push(row);
    params.push(...values ?? headerValues(spectrum, path, options));
  }
  const { grid, lsf } = maker.made(folder);
  const head = { setup: "full", ...grid, medium: "vacuum", lsf } as const;
  return assemble(folder, {
    name: options.name ?? basename(folder),
    names,
    params: Float64Array.from(params),
    templates: rows.length,
    classes: null,
    builds: [{ name: "full", arms: [armOfRows(head, rows)] }],
    provenance: {
      source: `${files.length} spectra of ${basename(folder)}`,
      medium: maker.medium === "air" ? "converted from air" : "vacuum",
      ...(left > 0 ? { holes: `${left} spectra with zeros or gaps left out` } : {}),
    },
  });
}

/** Brings spectra to one grid; the grid and the line spread follow from the first. */
class RowMaker {
  medium: "air" | "vacuum" = "vacuum";
  #plan: { lam: Float64Array; resampler: Resampler; grid: LnGrid; lsf: LineSpread } | null = null;

  constructor(private readonly options: ImportOptions) {}

  made(folder: string): { grid: LnGrid; lsf: LineSpread } {
    if (this.#plan === null) throw new InputError(`${folder}: holds no usable spectrum`);
    return this.#plan;
  }

  /** ln flux, or null where the spectrum has no logarithm. */
  row(lam: Float64Array, spectrum: ModelSpectrum, path: string): Float32Array | null {
    const plan = this.#planFor(lam, spectrum, path);
    const flux = new Float64Array(plan.grid.npix), row = new Float32Array(plan.grid.npix);
    plan.resampler.apply(spectrum.flux, flux);
    return lnFlux(flux, row) ? row : null;
  }

  #planFor(lam: Float64Array, spectrum: ModelSpectrum, path: string) {
    const known = this.#plan;
    if (known !== null && known.lam.length === lam.length && known.lam.every((x, i) => x === lam[i])) {
      return known;
    }
    checkIncreasing(lam, path);
    this.medium = this.options.air === true ? "air" : spectrum.medium ?? "vacuum";
    const vacuum = this.medium === "air" ? airToVacuum(lam) : lam;
    const R = this.options.resolution ?? 1e5;
    const [from, to] = this.options.range ?? DEFAULT_RANGE;
    const low = Math.max(from, vacuum[0] + 5 * FULL_SIGMA);
    const high = Math.min(to, vacuum.at(-1)! - 5 * FULL_SIGMA);
    if (!(low < high)) {
      throw new InputError(
        `${path}: covers ${vacuum[0]} to ${vacuum.at(-1)} Å, expected some of ${from} to ${to}`,
      );
    }
    const grid = known?.grid ??
      lnGrid(low, high, Math.max(FULL_DLNLAM, 1 / (4 * R)));
    if (grid.lam0 < low - 1e-6 || grid.lam0 * Math.exp((grid.npix - 1) * grid.dlnlam) > high + 1e-6) {
      throw new InputError(`${path}: covers ${low} to ${high} Å, less than the first spectrum of the folder`);
    }
    // Sharp enough everywhere to be brought to one σ?
    const sharp = high / R / FWHM_PER_SIGMA <= FULL_SIGMA;
    const lsf: LineSpread = sharp ? { kind: "sigma", angstrom: FULL_SIGMA } : { kind: "resolution", R };
    const sigma = (x: number) =>
      sharp ? Math.sqrt(Math.max(0, FULL_SIGMA ** 2 - (x / R / FWHM_PER_SIGMA) ** 2)) : 0;
    this.#plan = { lam, resampler: resampler(vacuum, gridWavelengths(grid), sigma), grid, lsf };
    return this.#plan;
  }
}
