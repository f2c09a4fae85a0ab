/**
 * Import of redrock's stellar archetypes (`rrtemplate-STAR-*.fits`): every archetype is a row of ARCHETYPE_COEFF times
 * the rows of BASIS_VECTORS, 3000 to 11000 Å at 0.1 Å in vacuum. They carry no parameters, only a class.
 *
 * There are about 1500 of them per class, most alike. A selection stands for them: farthest-point selection, beginning
 * with the archetype nearest to the mean of its class; the distance is the root mean square difference of the spectra
 * over the range kept, each divided by its mean, less what a polynomial of degree 8 takes: a fit's continuum would. The spectra are smoothed to σ = 0.5 Å (they count as unbroadened), and
 * since smoothing is linear, it is done to the basis once. Pixels below a thousandth of the median are raised to that; an
 * archetype with more than two such pixels in a thousand is left out.
 */
import { basename } from "node:path";
import { airToVacuum } from "../io/frame_conversion.ts";
import { FitsFile } from "../io/fits_read.ts";
import { InputError } from "../io/input_error.ts";
import { toFloat64 } from "../io/number_types.ts";
import {
  armOfRows,
  assemble,
  DEFAULT_MAX_TEMPLATES,
  DEFAULT_RANGE,
  FULL_DLNLAM,
  FULL_SIGMA,
  type ImportOptions,
  lnFlux,
} from "./import_options.ts";
import type { TemplateLibrary } from "./library.ts";
import { gridWavelengths, type LnGrid, lnGrid, resampler } from "./resample.ts";

/** Least flux in units of the median. */
const FLOOR = 1e-3;
const CONTINUUM_DEGREE = 8;

/** Whether the file holds redrock archetypes. */
export function isArchetypes(file: FitsFile): boolean {
  return file.find("BASIS_VECTORS") !== null && file.find("ARCHETYPE_COEFF") !== null;
}

/** @param paths - one file a class */
export function importArchetypes(
  source: string,
  paths: readonly string[],
  options: ImportOptions,
): TemplateLibrary {
  const rows: Float32Array[] = [], classes: string[] = [];
  let grid: LnGrid | null = null;
  let available = 0;
  for (const path of paths) {
    using file = FitsFile.open(path);
    const { header } = file.hdu("BASIS_VECTORS");
    const name = `${header.string("RRTYPE") ?? "STAR"}-${header.string("RRSUBTYP") ?? basename(path)}`;
    const lam = wavelengths(file, options);
    // All classes share the grid of the first.
    grid ??= gridWithin(lam, options);
    const basis = smoothedBasis(file, lam, grid);
    const coefficients = file.image("ARCHETYPE_COEFF");
    if (coefficients.shape[1] !== basis.length) {
      throw new InputError(
        `${path}: ARCHETYPE_COEFF has ${coefficients.shape[1]} columns for ${basis.length} vectors`,
      );
    }
    const most = options.maxTemplates ?? DEFAULT_MAX_TEMPLATES;
    const usable = usableSpectra(basis, toFloat64(coefficients.data));
    available += usable.length;
    for (const spectrum of farthestPoints(usable, basis, most)) {
      rows.push(lnOf(spectrum, basis)!);
      classes.push(name);
    }
  }
  const head = {
    setup: "full",
    ...grid!,
    medium: "vacuum",
    lsf: { kind: "sigma", angstrom: FULL_SIGMA },
  } as const;
  return assemble(source, {
    name: options.name ?? basename(source).replace(/\.fits(\.gz)?$/, ""),
    names: [],
    params: new Float64Array(0),
    templates: rows.length,
    classes,
    builds: [{ name: "full", arms: [armOfRows(head, rows)] }],
    provenance: {
      source: `redrock archetypes: ${paths.map((path) => basename(path)).join(", ")}`,
      selection: `${rows.length} of ${available} usable archetypes, farthest points per class`,
    },
  });
}

function wavelengths(file: FitsFile, options: ImportOptions): Float64Array {
  const { header, shape } = file.hdu("BASIS_VECTORS");
  const start = header.number("CRVAL1"), step = header.number("CDELT1");
  if (start === undefined || step === undefined) {
    throw new InputError(`${file.path}: BASIS_VECTORS has no CRVAL1 and CDELT1`);
  }
  const lam = Float64Array.from({ length: shape[1] }, (_, i) => start + i * step);
  const linear = header.integer("LOGLAM") === 1 ? lam.map((x) => 10 ** x) : lam;
  return options.air === true ? airToVacuum(linear) : linear;
}

function gridWithin(lam: Float64Array, options: ImportOptions): LnGrid {
  const [from, to] = options.range ?? DEFAULT_RANGE;
  const margin = 5 * FULL_SIGMA;
  return lnGrid(Math.max(from, lam[0] + margin), Math.min(to, lam.at(-1)! - margin), FULL_DLNLAM);
}

function smoothedBasis(file: FitsFile, lam: Float64Array, grid: LnGrid): Float64Array[] {
  const { shape, data } = file.image("BASIS_VECTORS");
  const smooth = resampler(lam, gridWavelengths(grid), () => FULL_SIGMA);
  return Array.from({ length: shape[0] }, (_, k) => {
    const out = new Float64Array(grid.npix);
    smooth.apply(toFloat64(data).subarray(k * lam.length, (k + 1) * lam.length), out);
    return out;
  });
}

function combine(coefficients: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const flux = new Float64Array(basis[0].length);
  basis.forEach((vector, k) => {
    for (let i = 0; i < flux.length; i++) flux[i] += coefficients[k] * vector[i];
  });
  return flux;
}

function lnOf(coefficients: Float64Array, basis: readonly Float64Array[]): Float32Array | null {
  const out = new Float32Array(basis[0].length);
  return lnFlux(combine(coefficients, basis), out, FLOOR) ? out : null;
}

/** Coefficients of the archetypes that have a logarithm, scaled to mean flux 1. Told by every eighth pixel. */
function usableSpectra(basis: readonly Float64Array[], coefficients: Float64Array): Float64Array[] {
  const thin = basis.map((vector) => vector.filter((_, i) => i % 8 === 0));
  const usable: Float64Array[] = [];
  for (let at = 0; at < coefficients.length; at += basis.length) {
    const own = coefficients.slice(at, at + basis.length);
    if (lnOf(own, thin) === null) continue;
    const mean = combine(own, thin).reduce((sum, x) => sum + x, 0) / thin[0].length;
    usable.push(own.map((c) => c / mean));
  }
  return usable;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Every eighth pixel of a spectrum less its projection on polynomials of degree {@link CONTINUUM_DEGREE}. */
function withoutContinuum(vector: Float64Array): Float64Array {
  const rest = vector.filter((_, i) => i % 8 === 0);
  const x = rest.map((_, i) => 2 * i / (rest.length - 1) - 1);
  const done: Float64Array[] = [];
  let power = rest.map(() => 1);
  for (let degree = 0; degree <= CONTINUUM_DEGREE; degree++) {
    const own = power.slice();
    for (const other of done) subtract(own, other);
    const norm = Math.sqrt(dot(own, own));
    done.push(own.map((y) => y / norm));
    subtract(rest, done.at(-1)!);
    power = power.map((y, i) => y * x[i]);
  }
  return rest;
}

/** Takes the part along a unit vector away, in place. */
function subtract(vector: Float64Array, unit: Float64Array): void {
  const part = dot(vector, unit);
  for (let i = 0; i < vector.length; i++) vector[i] -= part * unit[i];
}

/** Farthest-point selection; distances through the products of the basis vectors. */
function farthestPoints(
  spectra: readonly Float64Array[],
  basis: readonly Float64Array[],
  most: number,
): Float64Array[] {
  if (spectra.length === 0) return [];
  const lines = basis.map(withoutContinuum);
  const gram = lines.map((a) => lines.map((b) => dot(a, b)));
  const distance = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let j = 0; j < gram.length; j++) {
      for (let k = 0; k < gram.length; k++) sum += (a[j] - b[j]) * gram[j][k] * (a[k] - b[k]);
    }
    return sum;
  };
  const mean = basis.map((_, k) => spectra.reduce((sum, s) => sum + s[k], 0) / spectra.length);
  const fromMean = spectra.map((s) => distance(s, Float64Array.from(mean)));
  const chosen = [fromMean.indexOf(Math.min(...fromMean))];
  const nearest = spectra.map((s) => distance(s, spectra[chosen[0]]));
  while (chosen.length < Math.min(most, spectra.length)) {
    let next = 0;
    for (let i = 1; i < spectra.length; i++) if (nearest[i] > nearest[next]) next = i;
    chosen.push(next);
    for (let i = 0; i < spectra.length; i++) {
      nearest[i] = Math.min(nearest[i], distance(spectra[i], spectra[next]));
    }
  }
  return chosen.sort((a, b) => a - b).map((i) => spectra[i]);
}
