/**
 * Invented spectra of fibres on a CCD, in electrons a bin: sky, faint and brighter objects, galaxies with emission lines,
 * stars with absorption lines, all under the same sky. For tests and demonstrations.
 */
import { RandomStream } from "../random.ts";
import { wavelengths } from "./tiling.ts";

/** What a fibre looks at: fibre number modulo 5. */
export const KINDS = ["sky", "faint", "medium", "emission lines", "star"] as const;
export type Kind = typeof KINDS[number];

/** Å of true spectrum beyond both ends of the bins that are extracted: light from there falls on their pixels too. */
export const BEYOND = 60;

export interface Scene {
  /** Wavelengths of the truth, Å: the grid that was asked for, continued at both ends. */
  readonly wave: Float64Array;
  /** Bins of `wave` before the first that was asked for. */
  readonly before: number;
  /** Electrons a bin, [fibre][bin of wave]. */
  readonly photons: Float64Array;
  readonly kinds: readonly Kind[];
}

export interface SceneOptions {
  /** Bins to extract, Å, uniform. */
  readonly wave: Float64Array;
  /** Number of the first fibre; with the seed it decides what a fibre shows, whichever others are simulated. */
  readonly firstFibre: number;
  readonly fibres: number;
  readonly seed: number;
  /** Å, {@link BEYOND} where absent. */
  readonly beyond?: number;
}

/** Bright lines of the night sky: wavelength in vacuum, Å; electrons. */
const NIGHT_SKY: readonly (readonly [number, number])[] = [
  ...[[4359.6, 900], [5462.3, 700], [5578.9, 9000], [5891.6, 2600], [5897.6, 1500]] as const,
  ...[[6302.05, 8700], [6365.5, 2900]] as const,
];

/** Stream of the sky, common to all fibres, and of a fibre's own deviates. */
const SKY_STREAM = 11, FIBRE_STREAM = 12;
/** Seed of the sky: the same on every night. */
const SKY_SEED = 1;
const FIRST_OH = 6100, OH_SPACING = 24;

/** Sky lines between two wavelengths: the bright ones, then invented OH lines that grow to the red. */
function skyLines(from: number, to: number): [number, number][] {
  const lines = NIGHT_SKY.filter(([at]) => at > from && at < to).map((
    [at, area],
  ): [number, number] => [at, area]);
  for (let i = 0; FIRST_OH + i * OH_SPACING < to; i++) {
    const u = new RandomStream(SKY_SEED, i, SKY_STREAM);
    const at = FIRST_OH + (i + u.uniform(0)) * OH_SPACING;
    if (at > from && at < to) {
      lines.push([at, 60 * Math.exp(4 * u.uniform(1)) * Math.sqrt((at - 6000) / 400)]);
    }
  }
  return lines;
}

/** Adds a line of that area, shared between the two bins it lies between. */
function addLine(photons: Float64Array, wave: Float64Array, at: number, area: number): void {
  const step = (wave[wave.length - 1]! - wave[0]!) / (wave.length - 1);
  const position = (at - wave[0]!) / step, bin = Math.floor(position), share = position - bin;
  if (bin >= 0 && bin < wave.length) photons[bin]! += area * (1 - share);
  if (bin + 1 >= 0 && bin + 1 < wave.length) photons[bin + 1]! += area * share;
}

interface Profile {
  readonly at: number;
  readonly sigma: number;
  /** Height of an emission line, electrons a bin; depth of an absorption line, 1. */
  readonly size: number;
}

/** Adds the light of the object of a fibre to its spectrum, electrons a bin; u(i) are the fibre's uniform deviates. */
function addObject(kind: Kind, u: (i: number) => number, wave: Float64Array, spectrum: Float64Array): void {
  const from = wave[0]!, to = wave[wave.length - 1]!, middle = (from + to) / 2;
  const tilt = 0.6 * (u(1) - 0.5), brightness = u(2);
  const level = { sky: 0, faint: 4 + 20 * brightness, medium: 30 + 70 * brightness }[kind as string] ??
    (kind === "star" ? 400 + 600 * brightness : 3 + 10 * brightness);
  const object = wave.map((at) => level * (1 + 4 * tilt * (at - middle) / middle));
  const profile = (i: number, sizes: [number, number], widths: [number, number]): Profile => ({
    at: from + (to - from) * u(100 + i),
    size: sizes[0] + (sizes[1] - sizes[0]) * u(10100 + i),
    sigma: widths[0] + (widths[1] - widths[0]) * u(20100 + i),
  });
  /** f(bin, profile value) where the line is not nothing. */
  const along = ({ at, sigma }: Profile, f: (bin: number, value: number) => void) =>
    wave.forEach((lam, bin) => {
      const x = (lam - at) / sigma;
      if (Math.abs(x) < 9) f(bin, Math.exp(-0.5 * x * x));
    });
  if (kind === "emission lines") {
    for (let i = 0; i < 3; i++) {
      const line = profile(i, [80, 480], [1, 2.6]);
      along(line, (bin, value) => object[bin]! += line.size * value);
    }
  }
  if (kind === "star") {
    // about one line in 40 Å
    for (let i = 0; i < (to - from) / 40; i++) {
      const line = profile(i, [0.1, 0.7], [0.8, 2.8]);
      along(line, (bin, value) => object[bin]! *= 1 - line.size * value);
    }
  }
  object.forEach((light, bin) => spectrum[bin]! += light);
}

/** Spectra of consecutive fibres. */
export function simulateScene(options: SceneOptions): Scene {
  const { firstFibre, fibres, seed } = options;
  const n = options.wave.length;
  const step = n > 1 ? (options.wave[n - 1]! - options.wave[0]!) / (n - 1) : 1;
  const before = Math.round((options.beyond ?? BEYOND) / step);
  const wave = wavelengths(options.wave, -before, n + 2 * before);
  const from = wave[0]!, to = wave[wave.length - 1]!;
  const photons = new Float64Array(fibres * wave.length);
  const lines = skyLines(from, to);
  const kinds: Kind[] = [];
  for (let f = 0; f < fibres; f++) {
    const kind = KINDS[(firstFibre + f) % KINDS.length]!;
    const stream = new RandomStream(seed, firstFibre + f, FIBRE_STREAM);
    const throughput = 0.85 + 0.3 * stream.uniform(0);
    const row = photons.subarray(f * wave.length, (f + 1) * wave.length);
    wave.forEach((at, i) => row[i] = 14 * (1 + 0.1 * Math.sin(at / 170)) * (1 + 0.3 * (at - 6000) / 3000));
    addObject(kind, (i) => stream.uniform(i), wave, row);
    for (const [at, area] of lines) addLine(row, wave, at, area);
    row.forEach((light, i) => row[i] = throughput * light);
    kinds.push(kind);
  }
  return { wave, before, photons, kinds };
}
