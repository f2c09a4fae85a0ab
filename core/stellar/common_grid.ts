/** The one ln λ grid on which all arms are cross-correlated, and who owns which part of it. */
import { LIGHT } from "../doppler.ts";
import type { FitJob } from "./batch.ts";

/** Coarsest step worth having, km/s: a fraction of the widest line spread. */
const COARSEST = 45;

export interface CommonGrid {
  /** Points, a power of two. */
  readonly N: number;
  /** ln λ of the first. */
  readonly origin: number;
  readonly step: number;
  /** Lags −L … L cover ±maxVel. */
  readonly L: number;
  /** Per arm: data pixels that count, [first, last); arms that overlap are cut in the middle. */
  readonly pixels: readonly (readonly [number, number])[];
  /** Per arm: ln λ of its part of the grid. */
  readonly parts: readonly (readonly [number, number])[];
}

/** Lays the grid over the arms of a job with room for ±maxVel at both ends, so that nothing wraps round. */
export function commonGrid(arms: FitJob["arms"], maxVel: number): CommonGrid {
  const ranges = arms.map(({ lam }) => [Math.log(lam[0]!), Math.log(lam[lam.length - 1]!)] as const);
  const pad = 1.02 * Math.atanh(Math.min(0.9, maxVel / LIGHT)) + 1e-4;
  const origin = Math.min(...ranges.map((r) => r[0])) - pad;
  const end = Math.max(...ranges.map((r) => r[1])) + pad;
  let N = 2048;
  while (N < 32768 && (end - origin) / (N - 1) > COARSEST / LIGHT) N *= 2;
  const step = (end - origin) / (N - 1);

  // every arm from the middle of its overlap with the arm before to that with the arm after; two arms over the same
  // range (exposures of one set-up come as one arm, so this is rare) share it evenly
  const parts = ranges.map((range, a) => {
    let [from, to] = [range[0] - pad, range[1] + pad];
    ranges.forEach((other, b) => {
      if (a === b) return;
      const before = other[0] < range[0] || (other[0] === range[0] && b < a);
      if (before) from = Math.max(from, 0.5 * (other[1] + range[0]));
      if (!before) to = Math.min(to, 0.5 * (other[0] + range[1]));
    });
    return [from, Math.max(from, to)] as const;
  });
  const pixels = arms.map(({ lam }, a) => {
    const [from, to] = parts[a]!;
    let first = 0, last = lam.length;
    while (first < last && Math.log(lam[first]!) < from) first++;
    while (last > first && Math.log(lam[last - 1]!) >= to) last--;
    return [first, last] as const;
  });
  const L = Math.min(N / 2 - 1, Math.ceil(Math.atanh(Math.min(0.9, maxVel / LIGHT)) / step) + 1);
  return { N, origin, step, L, pixels, parts };
}

/** Velocity of a lag (grid points, may be fractional), km/s: the lag is −ln q. */
export function lagVelocity(grid: CommonGrid, lag: number): number {
  return LIGHT * Math.tanh(lag * grid.step);
}
