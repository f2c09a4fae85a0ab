/** What an import may be told, and what all importers share. */
import { InputError } from "../io/input_error.ts";
import { axesOfParams, gridIds } from "./grid.ts";
import type { Axis, TemplateArm, TemplateBuild, TemplateLibrary } from "./library.ts";
import { libraryChecksum } from "./library_checksum.ts";

export interface ImportOptions {
  /** Name of the library; default: of the source. */
  readonly name?: string;
  /** The wavelengths of the source are in air; they are converted. Default: vacuum, or what the source says. */
  readonly air?: boolean;
  /** Most templates per class of an unlabelled source. Default 64. */
  readonly maxTemplates?: number;
  /** Resolving power λ/FWHM of the source spectra. Default: 100000, or what is known of the source. */
  readonly resolution?: number;
  /** Wavelength range to keep, vacuum, Å. Default: 3400 to 10500, as far as the source goes. */
  readonly range?: readonly [number, number];
  /** FITS keyword of every parameter, in the order of the axes. Default: {@link PHOENIX_KEYWORDS}. */
  readonly keywords?: Readonly<Record<string, string>>;
  /** File with the wavelengths of spectra that have none of their own. Default: a file of the source named WAVE…. */
  readonly wavefile?: string;
}

export const PHOENIX_KEYWORDS: Readonly<Record<string, string>> = {
  teff: "PHXTEFF",
  logg: "PHXLOGG",
  feh: "PHXM_H",
  alpha: "PHXALPHA",
};

export const DEFAULT_RANGE = [3400, 10500] as const;
export const DEFAULT_MAX_TEMPLATES = 64;
/** Line spread and step in ln λ of a `full` build: 15 km/s, 0.25 Å at 5000 Å. */
export const FULL_SIGMA = 0.5, FULL_DLNLAM = 5e-5;

/** Share of pixels that may be raised to the floor of {@link lnFlux}. */
export const MOST_RAISED = 2e-3;

/**
 * ln of a flux that may touch zero, median 0. Pixels below the floor are raised to it; a spectrum with more than
 * {@link MOST_RAISED} such pixels is no spectrum.
 *
 * @param flux - shape (npix)
 * @param out - shape (npix)
 * @param floor - in units of the median. Theoretical spectra may fall steeply: only zeros are faults there
 * @returns whether the spectrum is usable; `out` means nothing if not
 */
export function lnFlux(flux: Float64Array, out: Float32Array, floor: number = 1e-12): boolean {
  const median = flux.toSorted()[flux.length >> 1];
  if (!(median > 0) || !Number.isFinite(median)) return false;
  let raised = 0;
  for (let i = 0; i < flux.length; i++) {
    const x = flux[i] / median;
    if (!Number.isFinite(x)) return false;
    if (x < floor) raised++;
    out[i] = Math.log(Math.max(x, floor));
  }
  return raised <= MOST_RAISED * flux.length;
}

/** What an importer knows of its source. */
export interface Imported {
  readonly name: string;
  /** Names of the parameters, in axis order; empty for unlabelled templates. */
  readonly names: readonly string[];
  /** Shape (templates, names). */
  readonly params: Float64Array;
  readonly templates: number;
  readonly classes: readonly string[] | null;
  readonly builds: readonly TemplateBuild[];
  readonly provenance: Readonly<Record<string, string>>;
}

/** Makes the grid and the library. Parameters of one value are no axes. @throws InputError where two templates share a node */
export function assemble(source: string, imported: Imported): TemplateLibrary {
  const { name, names, params, templates, classes, builds } = imported;
  if (templates === 0) throw new InputError(`${source}: holds no usable spectrum`);
  const all = axesOfParams(names, params);
  const kept = all.map((axis, d) => ({ axis, d })).filter(({ axis }) => axis.values.length > 1);
  const axes: readonly Axis[] = kept.map(({ axis }) => axis);
  const own = Float64Array.from(
    { length: templates * axes.length },
    (_, i) => params[Math.floor(i / axes.length) * names.length + kept[i % axes.length].d],
  );
  const constant = all.filter((axis) => axis.values.length === 1).map((a) => `${a.name} = ${a.values[0]}`);
  const nodes = axes.reduce((product, axis) => product * axis.values.length, 1);
  if (nodes > 2e7) {
    throw new InputError(`${source}: its parameters form no grid: ${templates} templates on ${nodes} nodes`);
  }
  const idgrid = gridIds(axes, own);
  const placed = idgrid.reduce((count, id) => count + (id >= 0 ? 1 : 0), 0);
  if (axes.length > 0 && placed < templates) {
    throw new InputError(
      `${source}: ${
        templates - placed
      } of ${templates} spectra have the parameters of another one; remove them`,
    );
  }
  const content = { name, axes, templates, params: own, idgrid, classes, builds };
  const provenance = {
    ...imported.provenance,
    ...(constant.length > 0 ? { constant: constant.join(", ") } : {}),
    ...(axes.length > 0 ? { grid: `${nodes} nodes, ${nodes - placed} of them empty` } : {}),
  };
  return { ...content, provenance, checksum: libraryChecksum(content) };
}

/** Keeps the rows of an arm's spectra that are usable. @param rows - spectra in order, null where not */
export function armOfRows(head: Omit<TemplateArm, "lnflux">, rows: readonly Float32Array[]): TemplateArm {
  const lnflux = new Float32Array(rows.length * head.npix);
  rows.forEach((row, t) => lnflux.set(row, t * head.npix));
  return { ...head, lnflux };
}
