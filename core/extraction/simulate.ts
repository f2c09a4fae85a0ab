/**
 * Images of a CCD on which fibres with known spectra shine through a PSF: Poisson noise, read noise, cosmic rays, dead
 * columns and blocks. Made and handed over in strips of rows, so that no image need be in memory.
 */
import { modelImage } from "../kernels/pixel_sums.ts";
import { psfSpots } from "../kernels/spots.ts";
import { poisson, POISSON_BLOCKS } from "../poisson.ts";
import { RandomStream } from "../random.ts";
import { place, type Target } from "../target.ts";
import type { Cutout } from "./job.ts";
import { centroid, fibreCoefficients, type Psf, spotDims, spotSize } from "./psf.ts";
import { onCcd, touched } from "./tiling.ts";

/** Electrons. */
export const READ_NOISE = 3;
/** Bits of the pixel mask, as DESI has them. */
export const PIXEL = { BAD: 1, DEAD: 4, COSMIC: 16 } as const;

/** Rows of a strip. */
const STRIP = 256;
/** Fibres whose spots are in the target's memory together. */
const FIBRES = 25;
/** What deviates are for. */
const STREAM = { PHOTONS: 21, READ: 22, DAMAGE: 23 } as const;

/** One pixel that a cosmic ray met. */
export interface Hit {
  readonly x: number;
  readonly y: number;
  readonly electrons: number;
  /** Whether the mask knows of it. */
  readonly masked: boolean;
}

/** What is wrong with the pixels of an image. */
export interface Damage {
  readonly hits: readonly Hit[];
  /** Columns that show nothing, masked. */
  readonly deadColumns: readonly number[];
  /** Rectangles that are saturated, masked. */
  readonly deadBlocks: readonly Cutout[];
  /** In words, for the truth file: `unmasked cosmic 2x3 y=1296 x=2231`. */
  readonly marks: readonly string[];
}

export const UNDAMAGED: Damage = { hits: [], deadColumns: [], deadBlocks: [], marks: [] };

export interface ImageOptions {
  readonly psf: Psf;
  /** Counted from 0 among the fibres of the PSF. */
  readonly firstFibre: number;
  readonly fibres: number;
  /** Wavelengths of the bins of `photons`, Å. */
  readonly wave: Float64Array;
  /** Electrons a bin, [fibre][bin]. */
  readonly photons: Float64Array;
  readonly seed: number;
  readonly damage?: Damage;
  /** False: no photon or read noise, ivar as with noise. */
  readonly noise?: boolean;
}

/** Consecutive rows of the whole CCD, row-major. */
export interface Strip {
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: number;
  /** Electrons. */
  readonly image: Float32Array;
  /** 1/(noiseless + read noise²), whatever the mask says; 0 in the dark. */
  readonly ivar: Float32Array;
  /** Bits of {@link PIXEL}. */
  readonly mask: Int16Array;
  /** Expected electrons, without damage. */
  readonly noiseless: Float64Array;
}

/** The part of the CCD that has light; beyond it image and ivar are 0. */
export function litBox({ psf, firstFibre, fibres, wave }: ImageOptions): Cutout {
  return onCcd(psf, touched(psf, firstFibre, fibres, wave));
}

/** The whole image, strip by strip from row 0. Uses the target's memory between two strips and gives it back. */
export function* simulateImage(target: Target, options: ImageOptions): Generator<Strip> {
  const { psf, damage = UNDAMAGED } = options;
  const box = litBox(options);
  const corners = spotRows(options);
  for (let firstRow = 0; firstRow < psf.rows; firstRow += STRIP) {
    const rows = Math.min(STRIP, psf.rows - firstRow);
    const size = rows * psf.columns;
    const strip: Strip = {
      ...{ firstRow, rows, columns: psf.columns },
      image: new Float32Array(size),
      ivar: new Float32Array(size),
      mask: new Int16Array(size),
      noiseless: new Float64Array(size),
    };
    for (let first = 0; first < options.fibres; first += FIBRES) {
      addLight(target, options, { first, count: Math.min(FIBRES, options.fibres - first) }, corners, strip);
    }
    addNoise(options, box, strip);
    addDamage(damage, box, strip);
    yield strip;
  }
}

/** First row of the spot of every bin, [fibre][bin]. */
function spotRows({ psf, firstFibre, fibres, wave }: ImageOptions): Int32Array {
  const rows = new Int32Array(fibres * wave.length);
  for (let f = 0; f < fibres; f++) {
    wave.forEach((at, i) => {
      rows[f * wave.length + i] = Math.floor(centroid(psf, firstFibre + f, at).y - psf.halfY + 0.5);
    });
  }
  return rows;
}

/** Adds the light of some fibres to the noiseless rows of a strip. */
function addLight(
  target: Target,
  options: ImageOptions,
  { first, count }: { readonly first: number; readonly count: number },
  corners: Int32Array,
  strip: Strip,
): void {
  const { psf, wave, photons, firstFibre } = options;
  const size = spotSize(psf), n = wave.length;
  // bins of any of the fibres that touch the strip
  let from = n, to = 0;
  for (let f = first; f < first + count; f++) {
    for (let w = 0; w < n; w++) {
      const y = corners[f * n + w]!;
      if (y >= strip.firstRow + strip.rows || y + size.rows <= strip.firstRow) continue;
      if (w < from) from = w;
      if (w >= to) to = w + 1;
    }
  }
  if (from >= to) return;
  const bins = wave.subarray(from, to), L = to - from;
  const all = onCcd(psf, touched(psf, firstFibre + first, count, bins));
  if (all.columns === 0) return;
  const mark = target.mark();
  const spotSizes = spotDims(psf, count, L);
  const spots = target.allocate("f64", count * L * size.columns * size.rows);
  const [xc, yc] = [target.allocate("i32", count * L), target.allocate("i32", count * L)];
  const coefficients = fibreCoefficients(psf, firstFibre + first, count);
  target.run(psfSpots, spotSizes, {
    wave: place(target, Float64Array.from({ length: count * L }, (_, i) => bins[i % L]!)),
    domains: place(target, coefficients.domains),
    trace: place(target, coefficients.trace),
    shape: place(target, coefficients.shape),
    ...{ spots, xc, yc },
  });
  const x = new Float64Array(count * L);
  for (let f = 0; f < count; f++) {
    for (let w = 0; w < L; w++) x[w * count + f] = photons[(first + f) * n + from + w]!;
  }
  const [NX, NY] = [all.columns, strip.rows];
  const model = target.allocate("f64", NX * NY);
  target.run(modelImage, {
    ...{ B: 1, F: count, L, NF: count, NL: L, SX: size.columns, SY: size.rows, NX, NY },
  }, {
    ...{ spots, xc, yc, model },
    place: place(target, Int32Array.of(0, 0, all.x0, strip.firstRow, NX, NY)),
    keep: place(target, Int32Array.of(0, count, 0, L)),
    x: place(target, x),
  });
  const light = target.download(model);
  target.release(mark);
  for (let r = 0; r < NY; r++) {
    const row = r * strip.columns + all.x0;
    for (let c = 0; c < NX; c++) strip.noiseless[row + c]! += light[r * NX + c]!;
  }
}

/** Image and ivar of the lit pixels. A pixel's deviates are of its row and column alone. */
function addNoise({ seed, noise = true }: ImageOptions, box: Cutout, strip: Strip): void {
  for (let r = 0; r < strip.rows; r++) {
    const y = strip.firstRow + r;
    if (y < box.y0 || y >= box.y0 + box.rows) continue;
    const photons = new RandomStream(seed, y, STREAM.PHOTONS), read = new RandomStream(seed, y, STREAM.READ);
    for (let x = box.x0; x < box.x0 + box.columns; x++) {
      const at = r * strip.columns + x, mean = strip.noiseless[at]!;
      strip.image[at] = noise
        ? poisson(photons, x * POISSON_BLOCKS, mean) + READ_NOISE * read.normal(x)
        : mean;
      strip.ivar[at] = 1 / (mean + READ_NOISE * READ_NOISE);
    }
  }
}

/** What a block that is broken shows, electrons. */
const SATURATED = 10000;

function addDamage({ hits, deadColumns, deadBlocks }: Damage, box: Cutout, strip: Strip): void {
  const at = (x: number, y: number): number => {
    const inside = x >= box.x0 && x < box.x0 + box.columns && y >= box.y0 && y < box.y0 + box.rows;
    const r = y - strip.firstRow;
    return inside && r >= 0 && r < strip.rows ? r * strip.columns + x : -1;
  };
  for (const { x, y, electrons, masked } of hits) {
    const i = at(x, y);
    if (i < 0) continue;
    strip.image[i]! += electrons;
    if (masked) strip.mask[i]! |= PIXEL.COSMIC;
  }
  for (const x of deadColumns) {
    for (let y = strip.firstRow; y < strip.firstRow + strip.rows; y++) {
      const i = at(x, y);
      if (i < 0) continue;
      strip.image[i] = 0;
      strip.mask[i]! |= PIXEL.DEAD;
    }
  }
  for (const { x0, y0, columns, rows } of deadBlocks) {
    for (let y = Math.max(y0, strip.firstRow); y < Math.min(y0 + rows, strip.firstRow + strip.rows); y++) {
      for (let x = x0; x < x0 + columns; x++) {
        const i = at(x, y);
        if (i < 0) continue;
        strip.image[i] = SATURATED;
        strip.mask[i]! |= PIXEL.BAD;
      }
    }
  }
}

/** How much is to go wrong. */
export interface DamageOptions {
  /** Tracks of cosmic rays that the mask knows. */
  readonly cosmics?: number;
  /** Hits of 2 columns × 3 rows that it does not know. */
  readonly unmaskedCosmics?: number;
  readonly deadColumns?: number;
  /** Blocks of 24 columns × 26 rows. */
  readonly deadBlocks?: number;
}

/** Places damage in a part of the CCD, by the seed alone. */
export function drawDamage(seed: number, box: Cutout, wanted: DamageOptions): Damage {
  if (box.columns === 0 || box.rows === 0) return UNDAMAGED;
  const hits: Hit[] = [], marks: string[] = [];
  let item = 0;
  const next = () => {
    const stream = new RandomStream(seed, item++, STREAM.DAMAGE);
    return {
      u: (i: number) => stream.uniform(i),
      x: box.x0 + Math.floor(stream.uniform(0) * box.columns),
      y: box.y0 + Math.floor(stream.uniform(1) * box.rows),
    };
  };
  for (let i = 0; i < (wanted.cosmics ?? 0); i++) {
    const { u, x, y } = next();
    const angle = 2 * Math.PI * u(2), length = 1 + Math.floor(10 * u(3));
    for (let step = 0; step <= length; step++) {
      const hit = { x: Math.round(x + step * Math.cos(angle)), y: Math.round(y + step * Math.sin(angle)) };
      hits.push({ ...hit, electrons: 500 + 6000 * u(10 + step), masked: true });
    }
  }
  for (let i = 0; i < (wanted.unmaskedCosmics ?? 0); i++) {
    const { u, x, y } = next();
    const electrons = 1000 + 1500 * u(2);
    for (let k = 0; k < 6; k++) {
      hits.push({ x: x + k % 2, y: y + Math.floor(k / 2), electrons, masked: false });
    }
    marks.push(`unmasked cosmic 2x3 y=${y} x=${x}`);
  }
  const deadColumns = Array.from({ length: wanted.deadColumns ?? 0 }, () => next().x);
  const deadBlocks = Array.from({ length: wanted.deadBlocks ?? 0 }, () => {
    const { x, y } = next();
    return { x0: x, y0: y, columns: 24, rows: 26 };
  });
  marks.push(...deadColumns.map((x) => `dead column x=${x}`));
  marks.push(...deadBlocks.map(({ x0, y0 }) => `dead block 26x24 y=${y0} x=${x0}`));
  return { hits, deadColumns, deadBlocks, marks };
}
