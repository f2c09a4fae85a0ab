// Normal equations of an extraction patch, straight from spots: A has a column a spot and is never written down.
//
//   K_ij = Σ_p s_i[p] w[p] s_j[p],   y_i = Σ_p s_i[p] w[p] p[p],   fw_i = Σ_p s_i[p] w[p]
//   m = bin·F + fibre;  band[m][k] = K[m, m−H+k]
//
// Only pixels of the patch's box count; others have weight 0. Pixels of weight 0 are not looked at. A spot times its
// weights is made once and multiplied with every spot up to H before it that shares pixels. Bins go in chunks, fibre by
// fibre, so that the spots of neighbouring fibres stay in the cache.
// Prior: α = 1e-4 max(fw) − fw where positive, else regularize; K_ii += α² + 1e-15.
// Twins: gpu/kernels/normal_equations.cu, core/kernels/normal_equations.ts.
import { across, at, get, set } from "./memory";
import { getInt, patchAt } from "./patch";

/** Bins of a chunk. */
const CHUNK: i32 = 16;

/**
 * s·w of a spot whose corner is at (x0, y0) of a box of `columns` × `rows`, into rows of `stride`; Σ s w at sums[0],
 * Σ s w p at sums[1]. Columns beyond SX stay as they are.
 */
function weigh(
  SX: i32,
  SY: i32,
  stride: i32,
  NX: i32,
  columns: i32,
  rows: i32,
  x0: i32,
  y0: i32,
  spot: usize,
  pixels: usize,
  weights: usize,
  out: usize,
  sums: usize,
): void {
  const left = max(0, -x0);
  const right = min(SX, columns - x0);
  const zero = f64x2.splat(0);
  let light = zero, data = zero;
  for (let r = 0; r < SY; r++) {
    const to = at(out, r * stride);
    const y = y0 + r;
    if (left > 0 || right < SX || y < 0 || y >= rows) {
      for (let c = 0; c < SX; c++) set(to, c, 0);
      if (y < 0 || y >= rows) continue;
    }
    const s = at(spot, r * SX);
    const w = at(weights, y * NX + x0);
    const p = at(pixels, y * NX + x0);
    let c = left;
    for (; c + 1 < right; c += 2) {
      const weight = v128.load(at(w, c));
      const product = f64x2.mul(v128.load(at(s, c)), weight);
      const seen = v128.and(v128.load(at(p, c)), f64x2.ne(weight, zero));
      v128.store(at(to, c), product);
      light = f64x2.add(light, product);
      data = f64x2.add(data, f64x2.mul(product, seen));
    }
    if (c < right) {
      const weight = get(w, c);
      const product = get(s, c) * weight;
      set(to, c, product);
      light = f64x2.add(light, f64x2.replace_lane(zero, 0, product));
      data = f64x2.add(data, f64x2.replace_lane(zero, 0, weight == 0 ? 0 : product * get(p, c)));
    }
  }
  set(sums, 0, across(light));
  set(sums, 1, across(data));
}

// @ts-ignore: decorator
@inline
function times(p: usize, q: usize, offset: usize, sum: v128): v128 {
  return f64x2.add(sum, f64x2.mul(v128.load(p + offset), v128.load(q + offset)));
}

/**
 * Σ a b over `rows` rows of V pairs of columns and, where `single`, one more. V and single are constants where it is
 * called: nothing of the tests is left in the loop. At most 8 pairs; four sums in turn.
 */
// @ts-ignore: decorator
@inline
function strip(V: i32, single: bool, rows: i32, a: usize, stepA: usize, b: usize, stepB: usize): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (let r = 0; r < rows; r++, a += stepA, b += stepB) {
    if (V > 0) s0 = times(a, b, 0, s0);
    if (V > 1) s1 = times(a, b, 16, s1);
    if (V > 2) s2 = times(a, b, 32, s2);
    if (V > 3) s3 = times(a, b, 48, s3);
    if (V > 4) s0 = times(a, b, 64, s0);
    if (V > 5) s1 = times(a, b, 80, s1);
    if (V > 6) s2 = times(a, b, 96, s2);
    if (V > 7) s3 = times(a, b, 112, s3);
    if (single) {
      const last = <usize> V << 4;
      s3 = f64x2.add(s3, f64x2.mul(v128.load64_zero(a + last), v128.load64_zero(b + last)));
    }
  }
  return across(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)));
}

/** Σ a b over `rows` rows of n columns; steps from row to row in bytes. */
function overlap(rows: i32, n: i32, a: usize, stepA: usize, b: usize, stepB: usize): f64 {
  let sum: f64 = 0;
  for (; n > 17; n -= 16, a += 128, b += 128) sum += strip(8, false, rows, a, stepA, b, stepB);
  switch (n) {
    case 1: return sum + strip(0, true, rows, a, stepA, b, stepB);
    case 2: return sum + strip(1, false, rows, a, stepA, b, stepB);
    case 3: return sum + strip(1, true, rows, a, stepA, b, stepB);
    case 4: return sum + strip(2, false, rows, a, stepA, b, stepB);
    case 5: return sum + strip(2, true, rows, a, stepA, b, stepB);
    case 6: return sum + strip(3, false, rows, a, stepA, b, stepB);
    case 7: return sum + strip(3, true, rows, a, stepA, b, stepB);
    case 8: return sum + strip(4, false, rows, a, stepA, b, stepB);
    case 9: return sum + strip(4, true, rows, a, stepA, b, stepB);
    case 10: return sum + strip(5, false, rows, a, stepA, b, stepB);
    case 11: return sum + strip(5, true, rows, a, stepA, b, stepB);
    case 12: return sum + strip(6, false, rows, a, stepA, b, stepB);
    case 13: return sum + strip(6, true, rows, a, stepA, b, stepB);
    case 14: return sum + strip(7, false, rows, a, stepA, b, stepB);
    case 15: return sum + strip(7, true, rows, a, stepA, b, stepB);
    case 16: return sum + strip(8, false, rows, a, stepA, b, stepB);
    default: return sum + strip(8, true, rows, a, stepA, b, stepB);
  }
}

/** Most columns that a fibre's spots move within `reach` bins. */
function drift(F: i32, L: i32, NL: i32, xc: usize, reach: i32): i32 {
  let most = 0;
  for (let f = 0; f < F; f++) {
    const row = xc + (<usize> (f * NL) << 2);
    for (let w = 0; w < L; w++) {
      const here = getInt(row, w);
      for (let v = max(0, w - reach); v < w; v++) most = max(most, abs(here - getInt(row, v)));
    }
  }
  return most;
}

/** K, AᵀWp, AᵀW1 of B patches. */
export function normal_equations(
  B: i32,
  F: i32,
  L: i32,
  H: i32,
  NF: i32,
  NL: i32,
  SX: i32,
  SY: i32,
  NX: i32,
  NY: i32,
  spots: usize,
  xc: usize,
  yc: usize,
  place: usize,
  pixels: usize,
  weights: usize,
  band: usize,
  y: usize,
  fw: usize,
  weighted: usize,
): void {
  const n = F * L;
  const size = SX * SY;
  const stride = (SX + 2) & ~1;
  const sums = weighted;
  const own = at(weighted, 2);
  const reach = F > 0 ? (H + F - 1) / F : 0;
  for (let b = 0; b < B; b++) {
    const patch = patchAt(place, b);
    const first = patch.fibre * NL + patch.bin;
    const xmin = patch.xmin, ymin = patch.ymin, columns = patch.columns, rows = patch.rows;
    const spotsOf = spots + (<usize> first * size << 3);
    const xOf = xc + (<usize> first << 2);
    const yOf = yc + (<usize> first << 2);
    const box = <usize> b * NY * NX << 3;
    const bandOf = band + (<usize> b * n * (H + 1) << 3);
    const near = SX + drift(F, L, NL, xOf, reach);
    for (let w0 = 0; w0 < L; w0 += CHUNK) {
      const w1 = min(L, w0 + CHUNK);
      for (let f = 0; f < F; f++) {
        for (let w = w0; w < w1; w++) {
          const i = w * F + f;
          const mine = f * NL + w;
          const x = getInt(xOf, mine), row = getInt(yOf, mine);
          weigh(
            SX,
            SY,
            stride,
            NX,
            columns,
            rows,
            x - xmin,
            row - ymin,
            spotsOf + (<usize> mine * size << 3),
            pixels + box,
            weights + box,
            own,
            sums,
          );
          const light = get(sums, 0);
          set(fw, b * n + i, light);
          set(y, b * n + i, get(sums, 1));
          const line = bandOf + (<usize> i * (H + 1) << 3);
          memory.fill(line, 0, <usize> (H + 1) << 3);
          for (let g = 0; g < F; g++) {
            if (abs(getInt(xOf, g * NL + w) - x) >= near) continue;
            const last = g <= f ? w : w - 1;
            for (let v = max(0, w - reach); v <= last; v++) {
              const k = v * F + g - i + H;
              if (k < 0) continue;
              const other = g * NL + v;
              const dx = getInt(xOf, other) - x;
              const dy = getInt(yOf, other) - row;
              const high = SY - abs(dy);
              const wide = SX - abs(dx);
              if (high <= 0 || wide <= 0) continue;
              const a = at(own, max(0, dy) * stride + max(0, dx));
              const c = at(spotsOf + (<usize> other * size << 3), max(0, -dy) * SX + max(0, -dx));
              set(line, k, overlap(high, wide, a, <usize> stride << 3, c, <usize> SX << 3));
            }
          }
        }
      }
    }
  }
}

/** K_ii += α² + 1e-15; weak[m] = 1 where bin m has less than 1e-4 of the largest fw. */
export function weak_prior(
  B: i32,
  F: i32,
  L: i32,
  H: i32,
  fw: usize,
  regularize: usize,
  band: usize,
  weak: usize,
): void {
  const n = F * L;
  for (let b = 0; b < B; b++) {
    const fwOf = at(fw, b * n);
    let most: f64 = 0;
    for (let i = 0; i < n; i++) if (get(fwOf, i) > most) most = get(fwOf, i);
    const least = 1e-4 * most;
    for (let i = 0; i < n; i++) {
      const value = get(fwOf, i);
      const few = value < least;
      const alpha = few ? least - value : get(regularize, b);
      const diagonal = band + (((<usize> (b * n + i)) * (H + 1) + H) << 3);
      store<f64>(diagonal, load<f64>(diagonal) + (alpha * alpha + 1e-15));
      store<u8>(weak + b * n + i, few ? 1 : 0);
    }
  }
}
