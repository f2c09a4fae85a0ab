/** A small simulated image with its PSF and truth as files, made once. */
import { readPsf } from "../../core/extraction/read_psf.ts";
import { type SimulatedFile, writeSimulatedImage } from "../../core/extraction/simulate_file.ts";
import { simulateScene } from "../../core/extraction/simulate_spectra.ts";
import { uniformGrid } from "../../core/extraction/grid.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import type { Header } from "../../core/io/fits_header.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { toFloat64 } from "../../core/io/number_types.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { type SmallPsf, smallPsf, writePsf } from "./psf_fixture.ts";

/** First bin, last bin, step of the small scenes: well inside the PSF's 64 Å. */
export const GRID = { min: 6012, max: 6048, step: 0.8 };
export const GRID_TEXT = `${GRID.min},${GRID.max},${GRID.step}`;

export interface Scene {
  readonly image: string;
  readonly psf: string;
  readonly truth: string;
}

/** Writes an image of all fibres of a small PSF, in bundles of 5. */
export function writeScene(
  folder: string,
  size: SmallPsf = {},
  changes: Partial<Pick<SimulatedFile, "damage" | "noiseless" | "seed">> = {},
): Scene {
  const scene = { image: `${folder}/preproc.fits`, psf: `${folder}/psf.fits`, truth: `${folder}/truth.fits` };
  writePsf(scene.psf, smallPsf(size));
  const psf = readPsf(scene.psf);
  const seed = changes.seed ?? 7;
  writeSimulatedImage(loadWasmTarget(), {
    path: scene.image,
    truth: scene.truth,
    psf,
    firstFibre: 0,
    fibres: psf.fibres,
    scene: simulateScene({ wave: uniformGrid(GRID), firstFibre: 0, fibres: psf.fibres, seed, beyond: 12 }),
    seed,
    damage: {},
    noiseless: false,
    ...changes,
  });
  return scene;
}

/** The words of a command that extracts a scene. */
export function request({ image, psf }: Scene, output: string, ...more: string[]): string[] {
  return [
    ...["extract", "-i", image, "-p", psf, "-o", output, "-w", GRID_TEXT, "--bundlesize", "5"],
    ...["--target", "wasm", "--workers", "1", ...more],
  ];
}

export interface FrameArrays {
  readonly fibres: number;
  readonly bins: number;
  readonly flux: Float64Array;
  readonly ivar: Float64Array;
  readonly mask: Float64Array;
  readonly chi2pix: Float64Array;
  readonly resolution: Float64Array;
  readonly wave: Float64Array;
  readonly header: Header;
}

export function readFrame(path: string): FrameArrays {
  using file = FitsFile.open(path);
  const numbers = (name: string) => toFloat64(file.image(name).data);
  const [fibres, bins] = file.hdu("FLUX").shape as [number, number];
  return {
    ...{ fibres, bins, flux: numbers("FLUX"), ivar: numbers("IVAR"), mask: numbers("MASK") },
    ...{ chi2pix: numbers("CHI2PIX"), resolution: numbers("RESOLUTION"), wave: numbers("WAVELENGTH") },
    header: file.hdus[0]!.header,
  };
}

/** Electrons a bin of the scene's truth, on the bins that are extracted, [fibre][bin]. */
export function readTruth(path: string, bins: number): Float64Array {
  using file = FitsFile.open(path);
  const before = file.hdu("PHOTONS").header.integer("BEFORE")!;
  const { shape, data } = file.image("PHOTONS"), photons = toFloat64(data);
  const [fibres, all] = shape as [number, number];
  return Float64Array.from(
    { length: fibres * bins },
    (_, i) => photons[Math.floor(i / bins) * all + before + i % bins]!,
  );
}

/** R·truth of a frame: row i of R has its column j on band half + i − j. */
export function resolved({ fibres, bins, resolution }: FrameArrays, truth: Float64Array): Float64Array {
  const bands = resolution.length / (fibres * bins), half = (bands - 1) / 2;
  return Float64Array.from({ length: fibres * bins }, (_, at) => {
    const f = Math.floor(at / bins), i = at % bins;
    let sum = 0;
    for (let j = Math.max(0, i - half); j <= Math.min(bins - 1, i + half); j++) {
      sum += resolution[(f * bands + half + i - j) * bins + j]! * truth[f * bins + j]!;
    }
    return sum;
  });
}

export interface Rewriting {
  /** HDU to leave out. */
  readonly without?: string;
  /** How many rows are kept. */
  readonly rows?: number;
  readonly header?: (header: Header) => void;
}

/** An image file like a scene's, with its pixels or header changed or an HDU left out. */
export function rewritten(
  from: string,
  to: string,
  change: (pixels: { image: Float64Array; ivar: Float64Array; mask: Int16Array; columns: number }) => void,
  { without, rows: kept, header = () => {} }: Rewriting = {},
): void {
  using file = FitsFile.open(from);
  const [all, columns] = file.hdu("IMAGE").shape as [number, number];
  const rows = kept ?? all;
  const image = toFloat64(file.image("IMAGE").data), ivar = toFloat64(file.image("IVAR").data);
  const mask = Int16Array.from(file.image("MASK").data as Int16Array);
  change({ image, ivar, mask, columns });
  const keywords = file.hdus[0]!.header.copy();
  header(keywords);
  using out = FitsWriter.create(to, keywords, {
    name: "IMAGE",
    type: "float32",
    shape: [rows, columns],
  });
  const part = (data: Float64Array) => Float32Array.from(data.subarray(0, rows * columns));
  out.writeRows(out.primary, 0, part(image));
  if (without !== "IVAR") out.addWholeImage({ name: "IVAR", shape: [rows, columns], data: part(ivar) });
  if (without !== "MASK") {
    out.addWholeImage({ name: "MASK", shape: [rows, columns], data: mask.subarray(0, rows * columns) });
  }
  if (without !== "FIBERMAP") out.addTable({ name: "FIBERMAP", table: file.table("FIBERMAP") });
  out.commit();
}
