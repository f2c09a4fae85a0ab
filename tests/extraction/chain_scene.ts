/** Stars on a CCD, and how far the velocities lie that were fitted to them. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readPsf } from "../../core/extraction/read_psf.ts";
import { writeSimulatedImage } from "../../core/extraction/simulate_file.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { RandomStream } from "../../core/random.ts";
import { BUILTIN_AXES } from "../../core/templates/builtin_library.ts";
import { Synthesiser } from "../../core/templates/builtin_synthesis.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { twinspec } from "../cli/run_cli.ts";

/** Å of light beyond the bins that are extracted, at either end. */
const BEYOND = 40;
/** Steps of the grid that stars shine on; σ of their own line spread, Å: far sharper than library and instrument. */
const FINE = 0.2, SHARP = 0.15;
/** Bins of the extraction, Å. */
const BIN = 0.8;
const LIGHT = 299792.458;

export interface StarField {
  readonly psf: string;
  readonly firstFibre: number;
  readonly stars: number;
  readonly seed: number;
  /** Bins to extract, Å. */
  readonly from: number;
  readonly to: number;
  /** Electrons a bin are drawn log-uniformly from here to four times as many. */
  readonly level: number;
  /** True: neither noise nor cosmic rays, errors as with noise: velocities show what is systematic. */
  readonly noiseless?: boolean;
}

export interface Star {
  /** km/s. */
  readonly velocity: number;
  /** Of the nodes of the library's axes. */
  readonly parameters: readonly number[];
  /** Electrons a bin, about. */
  readonly level: number;
}

function draw({ seed, level }: StarField, star: number): Star {
  const u = new RandomStream(seed, star, 31);
  return {
    velocity: 400 * (u.uniform(0) - 0.5),
    // warm and cool stars whose lines are neither gone nor blended away; inside the axes
    parameters: BUILTIN_AXES.map(({ name, values }, d) => {
      const [first, last] = name === "teff" ? [1, 4] : name === "alpha" ? [0, 1] : [1, values.length - 2];
      return values[first! + Math.floor(u.uniform(1 + d) * (last! - first! + 1))]!;
    }),
    level: level * 4 ** u.uniform(8),
  };
}

/** Electrons a step of `wave` of one star. */
function photonsOf(star: Star, wave: Float64Array, synthesiser: Synthesiser): Float64Array {
  const [teff, logg, feh, alpha] = star.parameters as [number, number, number, number];
  const { pixels } = synthesiser, ln = new Float32Array(pixels.length);
  synthesiser.spectrum(teff, logg, { feh, alpha }, ln);
  const step = Math.log(pixels[1]! / pixels[0]!);
  const beta = star.velocity / LIGHT, shift = Math.sqrt((1 + beta) / (1 - beta));
  const flux = wave.map((at) => {
    const x = Math.log(at / shift / pixels[0]!) / step, i = Math.floor(x);
    // photons, not energy
    return at * Math.exp(ln[i]! + (x - i) * (ln[i + 1]! - ln[i]!));
  });
  const mean = flux.reduce((sum, v) => sum + v, 0) / flux.length;
  return flux.map((v) => v / mean * star.level * FINE / BIN);
}

/** Writes an image of stars, one a fibre, and extracts it by the command; the frame feeds the fit. */
export async function extractStars(
  folder: string,
  field: StarField,
  ...words: string[]
): Promise<{ frame: string; stars: Star[] }> {
  const { from, to, firstFibre } = field;
  const stars = Array.from({ length: field.stars }, (_, star) => draw(field, star));
  const n = Math.round((to - from + 2 * BEYOND) / FINE) + 1;
  const wave = Float64Array.from({ length: n }, (_, i) => from - BEYOND + FINE * i);
  const low = Math.log((from - BEYOND) * (1 - 300 / LIGHT)),
    high = Math.log((to + BEYOND) * (1 + 300 / LIGHT));
  const fine = 1e-5;
  const synthesiser = new Synthesiser(
    Float64Array.from({ length: Math.ceil((high - low) / fine) + 2 }, (_, i) => Math.exp(low + fine * i)),
    SHARP,
  );
  const photons = new Float64Array(stars.length * n);
  stars.forEach((star, i) => photons.set(photonsOf(star, wave, synthesiser), i * n));
  const [image, truth, frame] = ["preproc.fits", "truth.fits", "frame-r0-00000001.fits"].map((name) =>
    `${folder}/${name}`
  ) as [string, string, string];
  writeSimulatedImage(loadWasmTarget(), {
    path: image,
    truth,
    psf: readPsf(field.psf),
    firstFibre,
    fibres: stars.length,
    scene: { wave, before: Math.round(BEYOND / FINE), photons, kinds: stars.map(() => "star") },
    seed: field.seed,
    damage: field.noiseless ? {} : { cosmics: 40 },
    noiseless: field.noiseless ?? false,
  });
  const cut = ["-s", String(firstFibre), "-n", String(stars.length), "-w", `${from},${to},${BIN}`];
  const { code, err } = await twinspec(
    ...["extract", "-i", image, "-p", field.psf, "-o", frame, ...cut, ...words],
  );
  assert.equal(code, 0, err);
  return { frame, stars };
}

export interface Velocities {
  /** (VRAD − truth)/VRAD_ERR of every star. */
  readonly pulls: number[];
  /** VRAD_ERR, km/s. */
  readonly errors: number[];
  /** Median signal to noise a bin, as the fit says it. */
  readonly sn: number[];
}

/** Fits the stars of a frame by the command. */
export async function fitStars(
  folder: string,
  { frame, stars }: { readonly frame: string; readonly stars: readonly Star[] },
  ...words: string[]
): Promise<Velocities> {
  const { code, err } = await twinspec("fit", frame, "--output-dir", folder, ...words);
  assert.equal(code, 0, err);
  const output = readdirSync(folder).find((name) => /^rvtab/.test(name));
  assert.ok(output !== undefined, err);
  using file = FitsFile.open(`${folder}/${output}`);
  const table = file.table("RVTAB");
  assert.equal(table.rows, stars.length);
  const [found, errors] = [table.float64("VRAD"), table.float64("VRAD_ERR")];
  const sn = table.names.filter((name) => /^SN_/.test(name)).map((name) => table.float64(name))[0];
  return {
    pulls: stars.map(({ velocity }, i) => (found[i]! - velocity) / errors[i]!),
    errors: [...errors],
    sn: [...sn ?? []],
  };
}
