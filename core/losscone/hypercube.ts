/** Latin hypercube at cell centres: the points that the reference starts from, by a counter-based rule of our own. */
import { RandomStream } from "../random.ts";
import type { Bounds, LossconeOptions } from "./options.ts";

/** Streams of random numbers of one seed; the evolution's own is 0. */
const STREAMS = { seeds: 1, members: 2 } as const;

/**
 * n points, row-major (n, dimensions of `bounds`): every axis is cut into n cells, each centre used once, in the order of
 * falling uniform deviates (index: cell of the axis, star: the axis) of the stream.
 */
export function hypercube(
  n: number,
  bounds: readonly Bounds[],
  seed: number,
  stream: keyof typeof STREAMS,
): Float64Array {
  const points = new Float64Array(n * bounds.length);
  bounds.forEach(([low, high], axis) => {
    const deviates = new RandomStream(seed, axis, STREAMS[stream]).uniforms(new Float64Array(n));
    const order = Array.from(deviates.keys()).sort((i, j) => deviates[j]! - deviates[i]! || i - j);
    order.forEach((cell, i) => points[i * bounds.length + axis] = low + (high - low) * (cell + 0.5) / n);
  });
  return points;
}

/** Bounds (U, b, A) of the points that a fit starts from: U between −1000 and 0 V, as in the reference. */
export function seedBounds(options: LossconeOptions): Bounds[] {
  const [low, high] = options.potential;
  const from = Math.max(low, -1000), to = Math.min(high, 0);
  return [from <= to ? [from, to] : [low, high], options.fieldRatio, options.beamAmplitude];
}

/** Points within this of the least (reduced) χ² count for the reference's width of U. */
export const WIDTH_RISE = 0.001;

/** The reference's width of U of one sweep, V: largest less smallest of the points whose χ² is near the least. */
export function widthOfU(chi2: ArrayLike<number>, points: Float64Array): number {
  let least = Infinity;
  for (let i = 0; i < chi2.length; i++) if (chi2[i]! < least) least = chi2[i]!;
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < chi2.length; i++) {
    if (!(chi2[i]! <= least + WIDTH_RISE)) continue;
    low = Math.min(low, points[3 * i]!);
    high = Math.max(high, points[3 * i]!);
  }
  return high >= low ? high - low : NaN;
}
