// Rotational broadening on a grid uniform in ln λ.
//
//   K(x) = [2(1−ε)√(1−x²) + (π/2) ε (1−x²)] / [π(1−ε/3)],  |x| ≤ 1, ε = 0.6
//   W_k  = ∫ Λ(k − R x) K(x) dx,  Λ = triangle of half-width 1, R = (vsini/c)/Δlnλ, k = 0 … H, H ≥ ceil(R), W_{−k} = W_k
//
// that is, the spectrum is taken as piecewise linear and the integral is exact. With a = 2(1−ε)/(π(1−ε/3)) and
// b = ε/(2(1−ε/3)) the primitives are
//   ∫K = a ½(x s + asin x) + b (x − x³/3),   ∫xK = −a s³/3 + b (x²/2 − x⁴/4),   s = √(1−x²).
// The derivative in R needs no more: ∂W_k/∂R = ∫_rising xK − ∫_falling xK. For 0 ≤ R ≤ 1 everything is linear in R, and
// that line is continued to R < 0, so that derivatives at vsini = 0 can be checked from both sides.
// Source: Gray, The Observation and Analysis of Stellar Photospheres, ch. 18 (profile). Twins: gpu/kernels/rotation.cu,
// core/kernels/rotation.ts.
import { at, get, get2, set, set2 } from "./memory";


// @ts-ignore: decorator
@inline
function primitive(a: f64, b: f64, x: f64): f64 {
  return a * 0.5 * (x * Math.sqrt(1.0 - x * x) + Math.asin(x)) + b * (x - x * x * x / 3.0);
}

// @ts-ignore: decorator
@inline
function firstMoment(a: f64, b: f64, x: f64): f64 {
  const s2 = 1.0 - x * x;
  return -a * s2 * Math.sqrt(s2) / 3.0 + b * x * x * (0.5 - 0.25 * x * x);
}

// @ts-ignore: decorator
@inline
function clip(x: f64): f64 {
  return x > 1.0 ? 1.0 : x < -1.0 ? -1.0 : x;
}

/** The last k whose weight is not zero, at least 1. */
// @ts-ignore: decorator
@inline
export function rotationHalfWidth(R: f64): i32 {
  return R > 1 ? <i32> Math.ceil(R) : 1;
}

/** Weights W_0 … W_H and their derivatives in R for limb darkening eps; H ≥ rotationHalfWidth(R). */
export function rotationWeights(R: f64, eps: f64, H: i32, w: usize, dw: usize): void {
  const a = 2.0 * (1.0 - eps) / (Math.PI * (1.0 - eps / 3.0));
  const b = eps / (2.0 * (1.0 - eps / 3.0));
  if (R < 1e-9) {
    const mean = a / 3.0 + b / 4.0;
    for (let k = 2; k <= H; k++) {
      set(w, k, 0);
      set(dw, k, 0);
    }
    const linear = R < 0 ? R : 0.0;
    set(w, 0, 1.0 - 2.0 * mean * linear);
    set(dw, 0, -2.0 * mean);
    if (H > 0) {
      set(w, 1, mean * linear);
      set(dw, 1, mean);
    }
    return;
  }
  let sum: f64 = 0;
  let dsum: f64 = 0;
  for (let k = 0; k <= H; k++) {
    const kk = <f64> k;
    const x0 = clip((kk - 1.0) / R);
    const x1 = clip(kk / R);
    const x2 = clip((kk + 1.0) / R);
    const rise1 = firstMoment(a, b, x1) - firstMoment(a, b, x0);
    const fall1 = firstMoment(a, b, x2) - firstMoment(a, b, x1);
    const rise0 = primitive(a, b, x1) - primitive(a, b, x0);
    const fall0 = primitive(a, b, x2) - primitive(a, b, x1);
    const value = (1.0 - kk) * rise0 + R * rise1 + (1.0 + kk) * fall0 - R * fall1;
    const slope = rise1 - fall1;
    set(w, k, value);
    set(dw, k, slope);
    sum += k == 0 ? value : 2.0 * value;
    dsum += k == 0 ? slope : 2.0 * slope;
  }
  const scale = 1.0 / sum;
  for (let k = 0; k <= H; k++) {
    const value = get(w, k) * scale;
    set(w, k, value);
    set(dw, k, get(dw, k) * scale - value * dsum * scale);
  }
}

/** w[b, k], k = 0 … H, of B rotations R[b] (pixels) with limb darkening eps[b]; zeros past the kernel. */
export function rotation_weights(B: i32, H: i32, R: usize, eps: usize, w: usize, dw: usize): void {
  const row = <usize> (H + 1) << 3;
  for (let i = 0; i < B; i++) rotationWeights(get(R, i), get(eps, i), H, w + row * i, dw + row * i);
}

/** y ⊛ w for pixels j0 ≤ j < j1 of N, spectrum zero outside; out is indexed from j0. */
export function convolveRange(N: i32, H: i32, y: usize, w: usize, j0: i32, j1: i32, out: usize): void {
  let j = j0;
  while (j < j1) {
    // four vectors inside, single pixels where the kernel overhangs an end
    if (j >= H && j + 8 + H <= N && j + 8 <= j1) {
      const w0 = v128.load64_splat(w);
      let s0 = f64x2.mul(w0, get2(y, j));
      let s1 = f64x2.mul(w0, get2(y, j + 2));
      let s2 = f64x2.mul(w0, get2(y, j + 4));
      let s3 = f64x2.mul(w0, get2(y, j + 6));
      for (let k = 1; k <= H; k++) {
        const wk = v128.load64_splat(at(w, k));
        s0 = f64x2.add(s0, f64x2.mul(wk, f64x2.add(get2(y, j - k), get2(y, j + k))));
        s1 = f64x2.add(s1, f64x2.mul(wk, f64x2.add(get2(y, j + 2 - k), get2(y, j + 2 + k))));
        s2 = f64x2.add(s2, f64x2.mul(wk, f64x2.add(get2(y, j + 4 - k), get2(y, j + 4 + k))));
        s3 = f64x2.add(s3, f64x2.mul(wk, f64x2.add(get2(y, j + 6 - k), get2(y, j + 6 + k))));
      }
      set2(out, j - j0, s0);
      set2(out, j - j0 + 2, s1);
      set2(out, j - j0 + 4, s2);
      set2(out, j - j0 + 6, s3);
      j += 8;
    } else {
      let sum = get(w, 0) * get(y, j);
      for (let k = 1; k <= H; k++) {
        sum += get(w, k) * ((j >= k ? get(y, j - k) : 0.0) + (j + k < N ? get(y, j + k) : 0.0));
      }
      set(out, j - j0, sum);
      j++;
    }
  }
}

/** out[b] = y[b] ⊛ w[b], length-preserving, zeros outside. */
export function rotate(B: i32, N: i32, H: i32, y: usize, w: usize, out: usize): void {
  for (let b = 0; b < B; b++) {
    const shift = <usize> b * N << 3;
    convolveRange(N, H, y + shift, w + (<usize> b * (H + 1) << 3), 0, N, out + shift);
  }
}
