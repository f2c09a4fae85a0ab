// Natural cubic splines through values at increasing knots.
//
//   S(x) = (1−u) y_i + u y_{i+1} + h² [ ((1−u)³−(1−u)) z_i + (u³−u) z_{i+1} ],   u = (x − x_i)/h, h = x_{i+1} − x_i
//   h_{i−1} z_{i−1} + 2 (h_{i−1}+h_i) z_i + h_i z_{i+1} = (y_{i+1}−y_i)/h_i − (y_i−y_{i−1})/h_{i−1},   z_0 = z_{N−1} = 0
//
// z = S″/6. The matrix depends on the knots alone, so its elimination is a table (`spline_factor`) that every spline on
// the same knots shares; the influence of a knot on z decays by 0.268 a step.
// Twins: gpu/kernels/spline.cu, core/kernels/spline.ts.
import { get, set } from "./memory";

/** Speed of light, km/s. */
export const LIGHT: f64 = reinterpret<f64>(0x41124C41D4FDF3B6); // 2.99792458e5

/** Four numbers a knot: h, 1/h, the superdiagonal after elimination, the reciprocal pivot. */
export const FACTORS: i32 = 4;

/** Elimination table of knots x, shape (N, 4). */
export function spline_factor(N: i32, x: usize, factor: usize): void {
  let c: f64 = 0;
  for (let i = 0; i < N; i++) {
    const h = i + 1 < N ? get(x, i + 1) - get(x, i) : 0.0;
    const row = factor + ((<usize> i) << 5);
    set(row, 0, h);
    set(row, 1, i + 1 < N ? 1.0 / h : 0.0);
    if (i == 0 || i + 1 >= N) {
      // z = 0 at both ends
      set(row, 2, 0);
      set(row, 3, 0);
      c = 0;
    } else {
      const before = get(x, i) - get(x, i - 1);
      const pivot = 1.0 / (2.0 * (before + h) - before * c);
      c = h * pivot;
      set(row, 2, c);
      set(row, 3, pivot);
    }
  }
}

/** z of B splines on the same N knots. */
export function spline_build(B: i32, N: i32, factor: usize, y: usize, z: usize): void {
  for (let b = 0; b < B; b++) {
    const yb = y + (<usize> b * N << 3);
    const zb = z + (<usize> b * N << 3);
    let slope: f64 = N > 1 ? (get(yb, 1) - get(yb, 0)) * get(factor, 1) : 0.0;
    let d: f64 = 0;
    set(zb, 0, 0);
    for (let i = 1; i + 1 < N; i++) {
      const row = factor + ((<usize> i) << 5);
      const next = (get(yb, i + 1) - get(yb, i)) * get(row, 1);
      d = (next - slope - get(row - 32, 0) * d) * get(row, 3);
      set(zb, i, d);
      slope = next;
    }
    d = 0;
    if (N > 1) set(zb, N - 1, 0);
    for (let i = N - 2; i > 0; i--) {
      d = get(zb, i) - get(factor + ((<usize> i) << 5), 2) * d;
      set(zb, i, d);
    }
  }
}

/** Relativistic factor from observed to rest wavelength, √((1−β)/(1+β)). */
// @ts-ignore: decorator
@inline
export function dopplerFactor(velocity: f64): f64 {
  const beta = velocity / LIGHT;
  return Math.sqrt((1.0 - beta) / (1.0 + beta));
}

/**
 * B splines on the same knots, uniform in ln x (LOG = 1) or in x (LOG = 0), at P points xe seen at velocity b:
 * out[b, p] = S_b(xe_p · √((1−β_b)/(1+β_b))). Outside the knots: NaN.
 */
export function spline_evaluate(
  B: i32,
  N: i32,
  P: i32,
  LOG: i32,
  x: usize,
  y: usize,
  z: usize,
  xe: usize,
  velocity: usize,
  out: usize,
): void {
  const first = get(x, 0);
  const last = get(x, N - 1);
  const origin = LOG ? Math.log(first) : first;
  const step = LOG ? Math.log(get(x, 1) / first) : get(x, 1) - first;
  for (let b = 0; b < B; b++) {
    const yb = y + (<usize> b * N << 3);
    const zb = z + (<usize> b * N << 3);
    const outb = out + (<usize> b * P << 3);
    const q = dopplerFactor(get(velocity, b));
    for (let p = 0; p < P; p++) {
      const point = get(xe, p) * q;
      if (!(point >= first && point <= last)) {
        set(outb, p, NaN);
        continue;
      }
      let i = <i32> (((LOG ? Math.log(point) : point) - origin) / step);
      // a point within rounding of a knot may land one interval off, also past the last one
      i = i < 0 ? 0 : i > N - 2 ? N - 2 : i;
      const h = get(x, i + 1) - get(x, i);
      const u = (point - get(x, i)) / h;
      const v = 1.0 - u;
      const value = v * get(yb, i) + u * get(yb, i + 1) +
        h * h * ((v * v - 1.0) * v * get(zb, i) + (u * u - 1.0) * u * get(zb, i + 1));
      set(outb, p, value);
    }
  }
}
