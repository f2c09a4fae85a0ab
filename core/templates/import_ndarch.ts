/**
 * Import of redmonster's archetype grids (`ndArch-*.fits`): one image, the fast axis log10 λ, the others parameters, all
 * named in CNAMEn with CRVALn, CDELTn, CRPIXn. The header does not say air or vacuum: vacuum, unless `air` is asked for.
 *
 * They were made for SDSS; unless told, two pixels count as their FWHM. The grid is kept as it is: its step is the step
 * of the library, and nothing is smoothed.
 */
import { basename } from "node:path";
import { airToVacuum } from "../io/frame_conversion.ts";
import type { Header } from "../io/fits_header.ts";
import type { FitsFile } from "../io/fits_read.ts";
import { InputError } from "../io/input_error.ts";
import { toFloat64 } from "../io/number_types.ts";
import { armOfRows, assemble, type ImportOptions, lnFlux } from "./import_options.ts";
import type { TemplateLibrary } from "./library.ts";
import { gridWavelengths, lnGrid, resampler } from "./resample.ts";

const AXIS_NAMES: Readonly<Record<string, string>> = {
  TEFF: "teff",
  LOGG: "logg",
  METALS: "feh",
  FEH: "feh",
  "[FE/H]": "feh",
  ALPHA: "alpha",
};
const ORDER = ["teff", "logg", "feh", "alpha"];

/** Whether the file holds redmonster archetypes: its first axis is log λ. */
export function isNdArch(file: FitsFile): boolean {
  const { header, shape } = file.hdu(0);
  return shape.length >= 2 && /^loglam/i.test(String(header.get("CNAME1") ?? ""));
}

function axisValues(header: Header, n: number): Float64Array {
  const [start, step, length] = [`CRVAL${n}`, `CDELT${n}`, `NAXIS${n}`].map((key) => header.number(key));
  if (start === undefined || step === undefined || length === undefined) {
    throw new InputError(`${header.where}: axis ${n} has no CRVAL${n} and CDELT${n}`);
  }
  const reference = header.number(`CRPIX${n}`) ?? 1;
  // Rounded: 2.0 + 3·0.1 is meant as 2.3.
  return Float64Array.from(
    { length },
    (_, i) => Number((start + (i + 1 - reference) * step).toPrecision(12)),
  );
}

/**
 * Imports a grid of redmonster archetypes.
 *
 * @throws InputError where axes are missing or damaged
 */
export function importNdArch(file: FitsFile, options: ImportOptions): TemplateLibrary {
  const { header, shape } = file.hdu(0);
  const loglam = axisValues(header, 1);
  const step = header.number("CDELT1")! * Math.LN10;
  const given = loglam.map((x) => 10 ** x);
  // Axes of the image from slow to fast, without the last.
  const axes = shape.slice(0, -1).map((_, d) => {
    const n = shape.length - d;
    const label = String(header.get(`CNAME${n}`) ?? `axis ${n}`).trim().toUpperCase();
    return { name: AXIS_NAMES[label] ?? label.toLowerCase(), values: axisValues(header, n) };
  });
  const order = axes.map((_, d) => d).sort((a, b) => rank(axes[a].name) - rank(axes[b].name));
  const vacuum = options.air === true ? airToVacuum(given) : given;
  const grid = options.air === true
    ? lnGrid(vacuum[0], vacuum.at(-1)!, step)
    : { lam0: given[0], dlnlam: step, npix: given.length };
  const resample = options.air === true ? resampler(vacuum, gridWavelengths(grid), () => 0) : null;
  const data = toFloat64(file.image(0).data);
  const rows: Float32Array[] = [], params: number[] = [];
  for (let t = 0; t < data.length / given.length; t++) {
    const flux = data.subarray(t * given.length, (t + 1) * given.length);
    const at = new Float64Array(grid.npix);
    if (resample === null) at.set(flux);
    else resample.apply(flux, at);
    const row = new Float32Array(grid.npix);
    if (!lnFlux(at, row)) continue;
    rows.push(row);
    const values = nodeValues(axes, t);
    params.push(...order.map((d) => values[d]));
  }
  const R = options.resolution ?? 1 / (2 * step);
  const head = { setup: "full", ...grid, medium: "vacuum", lsf: { kind: "resolution", R } } as const;
  return assemble(file.path, {
    name: options.name ?? basename(file.path).replace(/\.fits(\.gz)?$/, ""),
    names: order.map((d) => axes[d].name),
    params: Float64Array.from(params),
    templates: rows.length,
    classes: null,
    builds: [{ name: "full", arms: [armOfRows(head, rows)] }],
    provenance: {
      source: `redmonster archetypes ${basename(file.path)}`,
      medium: options.air === true ? "converted from air" : "taken as vacuum",
      resolution: `R = ${R.toFixed(0)}${options.resolution === undefined ? ", two pixels, assumed" : ""}`,
    },
  });
}

function rank(name: string): number {
  const at = ORDER.indexOf(name);
  return at < 0 ? ORDER.length : at;
}

/** Parameter values of the t-th spectrum, C order. */
function nodeValues(axes: readonly { readonly values: Float64Array }[], t: number): number[] {
  const values: number[] = [];
  let rest = t;
  for (const { values: nodes } of axes.toReversed()) {
    values.unshift(nodes[rest % nodes.length]);
    rest = Math.floor(rest / nodes.length);
  }
  return values;
}
