/** Multilinear interpolation of ln flux from its definition. */

/** Flux and its derivatives in t: [flux, ∂t_0, …], each of n pixels. */
export function slowInterpolate(
  templates: ArrayLike<number>,
  n: number,
  corners: ArrayLike<number>,
  t: ArrayLike<number>,
): Float64Array[] {
  const D = t.length;
  const weight = (c: number, skip = -1) => {
    let product = 1;
    for (let d = 0; d < D; d++) {
      const up = (c >> d) & 1;
      product *= d === skip ? (up ? 1 : -1) : up ? t[d]! : 1 - t[d]!;
    }
    return product;
  };
  const sum = (i: number, skip?: number) => {
    let total = 0;
    for (let c = 0; c < 1 << D; c++) total += weight(c, skip) * templates[corners[c]! * n + i]!;
    return total;
  };
  const flux = Float64Array.from({ length: n }, (_, i) => Math.exp(sum(i)));
  return [flux, ...Array.from({ length: D }, (_, d) => flux.map((f, i) => f * sum(i, d)))];
}
