/** A small repeatable generator for test inputs (mulberry32); not for the core. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** n numbers uniform in [low, high). */
export function uniform(n: number, next: () => number, low = -1, high = 1): Float64Array {
  return Float64Array.from({ length: n }, () => low + (high - low) * next());
}
