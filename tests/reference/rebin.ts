/** Slow reference: the weights of line-spread function and pixel by Gauss-Legendre quadrature of their definition. */

/** erf by its Taylor series, or the continued fraction of erfc beyond 2.5. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 2.5) {
    let term = z, sum = z;
    for (let n = 1; n < 80; n++) {
      term *= -z * z / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * 2 / Math.sqrt(Math.PI) * sum;
  }
  return Math.sign(x) * (1 - erfcBeyond(z));
}

/** erfc(x) for x > 2, continued fraction from its far end. */
export function erfcBeyond(x: number): number {
  let tail = x;
  for (let n = 120; n > 0; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}

/** Gauss-Legendre nodes and weights on [−1, 1]. */
export function legendre(n: number): [number, number][] {
  return Array.from({ length: n }, (_, i) => {
    let x = Math.cos(Math.PI * (i + 0.75) / (n + 0.5)), slope = 1;
    for (let round = 0; round < 50; round++) {
      let p0 = 1, p1 = x;
      for (let k = 2; k <= n; k++) [p0, p1] = [p1, ((2 * k - 1) * x * p1 - (k - 1) * p0) / k];
      slope = n * (x * p1 - p0) / (x * x - 1);
      x -= p1 / slope;
    }
    return [x, 2 / ((1 - x * x) * slope * slope)];
  });
}
const RULE = legendre(16);

/** Normal distribution; a step where σ = 0. */
function beyondEdge(d: number, sigma: number): number {
  if (sigma === 0) return d > 0 ? 1 : 0;
  const x = d / sigma / Math.SQRT2;
  return x < -2.5 ? 0.5 * erfcBeyond(-x) : 0.5 * (1 + erf(x));
}

/** First and last knot that a pixel's weights reach, as the kernel's 5σ cut says. */
export function slowReach(
  lam0: ArrayLike<number>,
  centre: number,
  low: number,
  high: number,
  sigma: number,
): [begin: number, end: number] {
  const N = lam0.length, width = high - low;
  const reach = 5 * sigma + (width > 2 * sigma ? width / 2 : 0);
  const bound = (v: number) => {
    let i = 0;
    while (i < N && lam0[i] < v) i++;
    return i;
  };
  return [Math.max(0, bound(centre - reach) - 1), Math.min(N - 1, bound(centre + reach) + 1)];
}

/** Weights of all N knots in one pixel [low, high] about `centre`, divided by `width`. */
export function slowWeights(
  lam0: ArrayLike<number>,
  centre: number,
  low: number,
  high: number,
  sigma: number,
  width: number,
): Float64Array {
  const N = lam0.length;
  const out = new Float64Array(N);
  const [begin, end] = slowReach(lam0, centre, low, high, sigma);
  for (let i = begin; i < end; i++) {
    // from the centre: differences of wavelengths are exact, wavelengths between knots are not
    const a = lam0[i] - centre, b = lam0[i + 1] - centre;
    const cuts = [a, b];
    for (const e of [low - centre, high - centre]) {
      for (let k = -8; k <= 8; k++) {
        const cut = e + k * sigma;
        if (cut > a && cut < b) cuts.push(cut);
      }
    }
    cuts.sort((p, q) => p - q);
    for (let c = 0; c + 1 < cuts.length; c++) {
      const half = (cuts[c + 1] - cuts[c]) / 2, middle = (cuts[c + 1] + cuts[c]) / 2;
      for (const [x, weight] of RULE) {
        const lam = middle + half * x;
        // the smaller side of both distribution functions
        const response = lam > 0
          ? beyondEdge(high - centre - lam, sigma) - beyondEdge(low - centre - lam, sigma)
          : beyondEdge(lam - (low - centre), sigma) - beyondEdge(lam - (high - centre), sigma);
        const share = weight * half * response / width;
        out[i] += share * (b - lam) / (b - a);
        out[i + 1] += share * (lam - a) / (b - a);
      }
    }
  }
  return out;
}

/** Pixel edges half-way between centres. */
export function pixelEdges(lam1: ArrayLike<number>): Float64Array {
  const M = lam1.length;
  const out = new Float64Array(M + 1);
  for (let j = 1; j < M; j++) out[j] = (lam1[j - 1] + lam1[j]) / 2;
  out[0] = lam1[0] - (lam1[1] - lam1[0]) / 2;
  out[M] = lam1[M - 1] + (lam1[M - 1] - lam1[M - 2]) / 2;
  return out;
}

/** Widths of pixels: half the distance between the centres on either side, at the ends that to the neighbour. */
export function pixelWidths(lam1: ArrayLike<number>): Float64Array {
  const last = lam1.length - 1;
  return Float64Array.from({ length: lam1.length }, (_, j) => {
    const from = Math.max(0, j - 1), to = Math.min(last, j + 1);
    return (lam1[to] - lam1[from]) / (to - from);
  });
}
