/**
 * From stars to velocities: spectra put through the real PSF on a CCD, extracted from its image, fitted from the frame.
 * The stars shine at a resolution of their own, far sharper than library and instrument, on a grid finer than the bins.
 */
import assert from "node:assert/strict";
import { readPsf } from "../../core/extraction/read_psf.ts";
import { writeSimulatedImage } from "../../core/extraction/simulate_file.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { RandomStream } from "../../core/random.ts";
import { BUILTIN_AXES } from "../../core/templates/builtin_library.ts";
import { Synthesiser } from "../../core/templates/builtin_synthesis.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { inFolder, twinspec } from "../cli/run_cli.ts";
import { dataTest } from "../shared_data.ts";

const STARS = 75, FIRST_FIBRE = 175;
/** Bins to extract, and light beyond them, Å. */
const FROM = 5800, TO = 7400, BIN = 0.8, BEYOND = 40;
/** Steps of the grid that stars shine on; σ of their own line spread, Å. */
const FINE = 0.2, SHARP = 0.15;
const LIGHT = 299792.458;

interface Star {
  /** km/s. */
  readonly velocity: number;
  /** Of the nodes of the library's axes. */
  readonly parameters: readonly number[];
  /** Electrons a bin, about. */
  readonly level: number;
}

function draw(seed: number, star: number): Star {
  const u = new RandomStream(seed, star, 31);
  return {
    velocity: 400 * (u.uniform(0) - 0.5),
    // warm and cool stars whose lines are neither gone nor blended away; inside the axes
    parameters: BUILTIN_AXES.map(({ name, values }, d) => {
      const [first, last] = name === "teff" ? [1, 4] : name === "alpha" ? [0, 1] : [1, values.length - 2];
      return values[first! + Math.floor(u.uniform(1 + d) * (last! - first! + 1))]!;
    }),
    level: 250 * 4 ** u.uniform(8),
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

dataTest("stars through PSF, CCD, extraction and fit: velocities and their errors are right", [
  "extraction/psf-r0-00051060.fits",
], (psfPath) =>
  inFolder(async (folder) => {
    const seed = 20261125;
    const stars = Array.from({ length: STARS }, (_, star) => draw(seed, star));
    const n = Math.round((TO - FROM + 2 * BEYOND) / FINE) + 1;
    const wave = Float64Array.from({ length: n }, (_, i) => FROM - BEYOND + FINE * i);
    const low = Math.log((FROM - BEYOND) * (1 - 300 / LIGHT)),
      high = Math.log((TO + BEYOND) * (1 + 300 / LIGHT));
    const fine = 1e-5;
    const synthesiser = new Synthesiser(
      Float64Array.from({ length: Math.ceil((high - low) / fine) + 2 }, (_, i) => Math.exp(low + fine * i)),
      SHARP,
    );
    const photons = new Float64Array(STARS * n);
    stars.forEach((star, i) => photons.set(photonsOf(star, wave, synthesiser), i * n));
    const [image, truth, frame] = ["preproc.fits", "truth.fits", "frame-r0-00000001.fits"].map((name) =>
      `${folder}/${name}`
    ) as [string, string, string];
    writeSimulatedImage(loadWasmTarget(), {
      path: image,
      truth,
      psf: readPsf(psfPath!),
      firstFibre: FIRST_FIBRE,
      fibres: STARS,
      scene: { wave, before: Math.round(BEYOND / FINE), photons, kinds: stars.map(() => "star") },
      seed,
      damage: { cosmics: 40 },
      noiseless: false,
    });
    const cut = ["-s", String(FIRST_FIBRE), "-n", String(STARS), "-w", `${FROM},${TO},${BIN}`];
    const extracted = await twinspec("extract", "-i", image, "-p", psfPath!, "-o", frame, ...cut);
    assert.equal(extracted.code, 0, extracted.err);
    const fitted = await twinspec("fit", frame, "--output-dir", `${folder}/fit`, "--resolution-matrix");
    assert.equal(fitted.code, 0, fitted.err);
    const output = [...Deno.readDirSync(`${folder}/fit`)].map(({ name }) => name).find((name) =>
      /^rvtab/.test(name)
    );
    assert.ok(output, fitted.err);
    using file = FitsFile.open(`${folder}/fit/${output}`);
    const table = file.table("RVTAB");
    const [found, error] = [table.float64("VRAD"), table.float64("VRAD_ERR")];
    const pulls = stars.map(({ velocity }, i) => (found[i]! - velocity) / error[i]!);
    const mean = pulls.reduce((sum, v) => sum + v, 0) / STARS;
    const sigma = Math.sqrt(pulls.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (STARS - 1));
    const said = `pulls ${mean.toFixed(3)} ± ${sigma.toFixed(3)}: ${pulls.map((v) => v.toFixed(1))}; errors ${
      Array.from(error, (v) => v.toFixed(2))
    }`;
    assert.equal(table.rows, STARS);
    assert.ok(Math.abs(mean) < 0.4, said);
    assert.ok(sigma > 0.8 && sigma < 1.2, said);
  }));
