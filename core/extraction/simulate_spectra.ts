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

const gauss = (x: number) => Math.exp(-0.5 * x * x);

/** Light of the object of a fibre at a wavelength, electrons a bin; u(i) are the fibre's uniform deviates. */
function objectLight(
  kind: Kind,
  u: (i: number) => number,
  from: number,
  to: number,
): (wave: number) => number {
  const tilt = 0.6 * (u(1) - 0.5), middle = (from + to) / 2;
  const slope = (wave: number) => 1 + tilt * (wave - middle) / middle * 4;
  const within = (i: number) => from + (to - from) * u(i);
  switch (kind) {
    case "sky":
      return () => 0;
    case "faint":
      return (wave) => (4 + 20 * u(2)) * slope(wave);
    case "medium":
      return (wave) => (30 + 70 * u(2)) * slope(wave);
    case "emission lines": {
      const lines = [0, 1, 2].map((i) => ({
        at: within(10 + i),
        height: 80 + 400 * u(20 + i),
        sigma: 1 + 1.6 * u(30 + i),
      }));
      return (wave) =>
        (3 + 10 * u(2)) * slope(wave) +
        lines.reduce((sum, { at, height, sigma }) => sum + height * gauss((wave - at) / sigma), 0);
    }
    case "star": {
      // about one line in 40 Å
      const lines = Array.from({ length: Math.ceil((to - from) / 40) }, (_, i) => ({
        at: within(100 + i),
        depth: 0.1 + 0.6 * u(10100 + i),
        sigma: 0.8 + 2 * u(20100 + i),
      }));
      return (wave) =>
        (400 + 600 * u(2)) * slope(wave) *
        lines.reduce((left, { at, depth, sigma }) => left * (1 - depth * gauss((wave - at) / sigma)), 1);
    }
  }
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
    const light = objectLight(kind, (i) => stream.uniform(i), from, to);
    const row = photons.subarray(f * wave.length, (f + 1) * wave.length);
    wave.forEach((at, i) => {
      const sky = 14 * (1 + 0.1 * Math.sin(at / 170)) * (1 + 0.3 * (at - 6000) / 3000);
      row[i] = throughput * (sky + light(at));
    });
    for (const [at, area] of lines) addLine(row, wave, at, throughput * area);
    kinds.push(kind);
  }
  return { wave, before, photons, kinds };
}
