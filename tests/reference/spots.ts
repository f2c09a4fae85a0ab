/** Slow reference: Gauss-Hermite spots, each pixel's integral by quadrature. */

/** Nodes and weights of Gauss-Legendre quadrature on [−1, 1], by Newton's method. */
function gaussLegendre(n: number): { x: number; w: number }[] {
  return Array.from({ length: n }, (_, i) => {
    let x = Math.cos(Math.PI * (i + 0.75) / (n + 0.5)), slope = 1;
    for (let step = 0; step < 50; step++) {
      const [p, before] = legendrePair(n, x);
      slope = n * (x * p - before) / (x * x - 1);
      const move = p / slope;
      x -= move;
      if (Math.abs(move) < 1e-16) break;
    }
    return { x, w: 2 / ((1 - x * x) * slope * slope) };
  });
}

/** P_n and P_{n−1} at x. */
function legendrePair(n: number, x: number): [number, number] {
  let before = 0, p = 1;
  for (let k = 0; k < n; k++) [before, p] = [p, ((2 * k + 1) * x * p - k * before) / (k + 1)];
  return [p, before];
}

const NODES = gaussLegendre(24);

function hermite(m: number, x: number): number {
  return m === 0 ? 1 : m === 1 ? x : x * hermite(m - 1, x) - (m - 1) * hermite(m - 2, x);
}

/** ∫ He_m φ from a to b, the interval in pieces no longer than 1. */
function integral(m: number, a: number, b: number): number {
  const pieces = Math.max(1, Math.ceil(b - a)), step = (b - a) / pieces;
  let sum = 0;
  for (let i = 0; i < pieces; i++) {
    const middle = a + (i + 0.5) * step;
    for (const { x, w } of NODES) {
      const e = middle + 0.5 * step * x;
      sum += 0.5 * step * w * hermite(m, e) * Math.exp(-0.5 * e * e) / Math.sqrt(2 * Math.PI);
    }
  }
  return sum;
}

/** Value of Σ c_k P_k at a wavelength on a domain. */
export function slowSeries(c: ArrayLike<number>, domain: ArrayLike<number>, wave: number): number {
  const [min, max] = [domain[0]!, domain[1]!];
  const u = (2 * wave - min - max) / (max - min);
  let sum = 0;
  for (let k = 0; k < c.length; k++) sum += c[k]! * legendrePair(k, u)[0];
  return sum;
}

export interface SlowSpot {
  readonly xc: number;
  readonly yc: number;
  /** [SY][SX]. */
  readonly image: number[];
}

/** One spot of SX × SY pixels at (x, y) with parameters σx, σy, GH[i][j], tails. */
export function slowSpot(
  x: number,
  y: number,
  parameters: ArrayLike<number>,
  sizes: { readonly GX: number; readonly GY: number; readonly SX: number; readonly SY: number },
): SlowSpot {
  const { GX, GY, SX, SY } = sizes;
  const xc = Math.floor(x - (SX - 1) / 2 + 0.5), yc = Math.floor(y - (SY - 1) / 2 + 0.5);
  const [amplitude, core, scaleX, scaleY, index] = Array.from(
    { length: 5 },
    (_, i) => parameters[2 + GX * GY + i]!,
  ) as [number, number, number, number, number];
  const bases = (G: number, S: number, corner: number, centre: number, sigma: number) =>
    Array.from(
      { length: G },
      (_, m) =>
        Array.from({ length: S }, (_, k) =>
          integral(m, (corner + k - 0.5 - centre) / sigma, (corner + k + 0.5 - centre) / sigma)),
    );
  const gx = bases(GX, SX, xc, x, parameters[0]!), gy = bases(GY, SY, yc, y, parameters[1]!);
  const image: number[] = [];
  for (let r = 0; r < SY; r++) {
    for (let c = 0; c < SX; c++) {
      let value = 0;
      for (let i = 0; i < GX; i++) {
        for (let j = 0; j < GY; j++) value += parameters[2 + i * GY + j]! * gx[i]![c]! * gy[j]![r]!;
      }
      if (amplitude !== 0) {
        const r2 = ((xc + c - x) * scaleX) ** 2 + ((yc + r - y) * scaleY) ** 2;
        value += amplitude * r2 / (core * core + r2) ** (1 + index / 2);
      }
      image.push(Math.max(value, 0));
    }
  }
  const total = image.reduce((sum, v) => sum + v, 0);
  return { xc, yc, image: image.map((v) => total === 0 ? 0 : v / total) };
}
