/**
 * Import of the reference's development library: `meta.json` (grids), `params.csv` (one row a template, in the order of
 * the spectra) and `specs_<build>_<setup>.d16.npy.gz`, int16 differences along the pixels: ln flux = cumsum / 4096.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { InputError } from "../io/input_error.ts";
import { readNpy } from "../io/npy.ts";
import type { LineSpread } from "../io/spectra.ts";
import { parseCsv } from "./csv.ts";
import { assemble, type ImportOptions } from "./import_options.ts";
import type { TemplateArm, TemplateBuild, TemplateLibrary } from "./library.ts";

interface GridMeta {
  readonly nlam: number;
  readonly lam0: number;
  readonly dlnlam: number;
  readonly log_step: boolean;
}

/** FWHM of the `std` products, Å, by set-up; `resolmat` products have σ = 0.5 Å. */
const FWHM: Readonly<Record<string, number>> = { desi_b: 1.55, desi_r: 1.55, desi_z: 1.8 };

/** Whether the folder is the reference's development library. */
export function isReferenceLibrary(folder: string): boolean {
  return existsSync(join(folder, "meta.json")) && existsSync(join(folder, "params.csv"));
}

/** Imports the reference's development library, all its builds. */
export function importReference(folder: string, options: ImportOptions): TemplateLibrary {
  const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")) as Record<string, GridMeta>;
  const table = parseCsv(join(folder, "params.csv"));
  const names = table.names;
  const params = Float64Array.from(table.rows.flatMap((row) => row.map(Number)));
  const builds = new Map<string, TemplateArm[]>();
  for (const [key, grid] of Object.entries(meta)) {
    const [build, setup] = key.split("/");
    const arm = readArm(folder, build, setup, grid, table.rows.length, options);
    builds.set(build, [...builds.get(build) ?? [], arm]);
  }
  return assemble(folder, {
    name: options.name ?? "reference",
    names,
    params,
    templates: table.rows.length,
    classes: null,
    builds: [...builds].map(([name, arms]): TemplateBuild => ({ name, arms })),
    provenance: { source: `reference library ${basename(folder)}`, builds: [...builds.keys()].join(", ") },
  });
}

function readArm(
  folder: string,
  build: string,
  setup: string,
  grid: GridMeta,
  templates: number,
  options: ImportOptions,
): TemplateArm {
  const path = join(folder, `specs_${build}_${setup}.d16.npy.gz`);
  const { shape, data } = readNpy(path);
  if (shape[0] !== templates || shape[1] !== grid.nlam || !(data instanceof Int16Array) || !grid.log_step) {
    throw new InputError(
      `${path}: holds shape (${shape.join(", ")}), expected int16 (${templates}, ${grid.nlam})`,
    );
  }
  const lnflux = new Float32Array(data.length);
  for (let t = 0; t < templates; t++) {
    let sum = 0;
    for (let i = t * grid.nlam; i < (t + 1) * grid.nlam; i++) {
      sum += data[i];
      lnflux[i] = sum / 4096;
    }
  }
  const fwhm = FWHM[setup];
  const lsf: LineSpread = build === "resolmat" || fwhm === undefined
    ? { kind: "sigma", angstrom: 0.5 }
    : { kind: "fwhm", angstrom: fwhm };
  const medium = options.air === true ? "air" : "vacuum";
  return { setup, lam0: grid.lam0, dlnlam: grid.dlnlam, npix: grid.nlam, medium, lsf, lnflux };
}
