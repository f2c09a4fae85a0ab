/** A small library for tests: two axes, one hole, two builds; lines as Gaussians. */
import { gridIds, gridParams } from "../../core/templates/grid.ts";
import type { Axis, TemplateArm, TemplateLibrary } from "../../core/templates/library.ts";
import { libraryChecksum } from "../../core/templates/library_checksum.ts";
import type { LineSpread, Medium } from "../../core/io/spectra.ts";

export const SMALL_AXES: readonly Axis[] = [
  { name: "teff", unit: "K", log10: true, values: Float64Array.of(4000, 5000, 6000) },
  { name: "logg", unit: "dex", log10: false, values: Float64Array.of(1, 3) },
];

export interface ArmSpec {
  readonly setup: string;
  readonly from: number;
  readonly to: number;
  readonly dlnlam: number;
  readonly lsf: LineSpread;
  readonly medium?: Medium;
}

/** Depth 0.6 at wavelength λ, σ² = line² + lsf². */
const LINES = [5010, 5050, 5120, 5170, 5260];
const LINE_SIGMA = 0.8;

/** Flux with lines of that width. */
export function lineFlux(lam: number, sigma: number, depth: number): number {
  let flux = 1;
  const width = Math.hypot(LINE_SIGMA, sigma);
  for (const line of LINES) {
    flux -= depth * LINE_SIGMA / width * Math.exp(-0.5 * ((lam - line) / width) ** 2);
  }
  return flux;
}

function sigmaOf(lsf: LineSpread, lam: number): number {
  if (lsf.kind === "fwhm") return lsf.angstrom / 2.3548200450309493;
  if (lsf.kind === "sigma") return lsf.angstrom;
  return lsf.kind === "resolution" ? lam / lsf.R / 2.3548200450309493 : NaN;
}

function arm({ setup, from, to, dlnlam, lsf, medium = "vacuum" }: ArmSpec, templates: number): TemplateArm {
  const npix = Math.floor(Math.log(to / from) / dlnlam) + 1;
  const lnflux = new Float32Array(templates * npix);
  for (let t = 0; t < templates; t++) {
    for (let i = 0; i < npix; i++) {
      const lam = from * Math.exp(i * dlnlam);
      lnflux[t * npix + i] = Math.log(lineFlux(lam, sigmaOf(lsf, lam), 0.1 + 0.1 * t));
    }
  }
  return { setup, lam0: from, dlnlam, npix, medium, lsf, lnflux };
}

export function smallLibrary(
  builds: Readonly<Record<string, readonly ArmSpec[]>> = {
    full: [{ setup: "full", from: 4900, to: 5400, dlnlam: 5e-5, lsf: { kind: "sigma", angstrom: 0.5 } }],
    std: [{ setup: "desi_b", from: 4950, to: 5350, dlnlam: 7e-5, lsf: { kind: "fwhm", angstrom: 1.55 } }],
  },
): TemplateLibrary {
  const params = gridParams(SMALL_AXES).slice(0, -2);
  const templates = params.length / 2;
  const content = {
    name: "small",
    axes: SMALL_AXES,
    templates,
    params,
    idgrid: gridIds(SMALL_AXES, params),
    classes: null,
    builds: Object.entries(builds).map(([name, arms]) => ({
      name,
      arms: arms.map((a) => arm(a, templates)),
    })),
  };
  return { ...content, provenance: { source: "test", version: "1" }, checksum: libraryChecksum(content) };
}

/** Wavelengths from one to another, Å. */
export function ramp(from: number, to: number, step: number): Float64Array {
  return Float64Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);
}
