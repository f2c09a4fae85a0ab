// Multilinear interpolation of ln flux in one cell of a regular grid, exponentiated, with derivatives in the cell
// fractions t_d:
//
//   m = exp L,  ∂m/∂t_d = m ∂L/∂t_d,  L = Σ_c Π_d (t_d or 1−t_d) · lnflux[corner_c]
//
// Corner c takes the upper node on axis d where bit d of c is set. One axis after the other is folded, the highest
// first: the value by a + t(b−a), the new derivative by b−a. Outside 0 ≤ t ≤ 1 the same polynomial continues smoothly.
// Twins: gpu/kernels/interpolate.cu, core/kernels/interpolate.ts.
import { exp2lanes } from "./exponential";
import { at, get2, set2 } from "./memory";

/** Pixels that are folded together, long enough runs of 2^D templates for caches to read ahead; 2^(D+1) rows are scratch. */
const BLOCK: i32 = 256;

/** float64s of scratch that interpolateRange needs for C = 2^D corners. */
// @ts-ignore: decorator
@inline
export function interpolateScratch(C: i32): i32 {
  return 2 * C * BLOCK;
}

/** float32s i and i+1 as float64. */
// @ts-ignore: decorator
@inline
function pairAt(source: usize, i: i32): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(source + (<usize> i << 2)));
}

/** float32 i in both lanes: past the last pixel of the last template there may be no more memory to read two from. */
// @ts-ignore: decorator
@inline
function lastAt(source: usize, i: i32): v128 {
  return f64x2.splat(<f64> load<f32>(source + (<usize> i << 2)));
}

// @ts-ignore: decorator
@inline
function fold(n: i32, a: usize, b: usize, t: v128, difference: usize): void {
  for (let i = 0; i < n; i += 2) {
    const low = get2(a, i);
    const step = f64x2.sub(get2(b, i), low);
    set2(a, i, f64x2.add(low, f64x2.mul(t, step)));
    set2(difference, i, step);
  }
}

// @ts-ignore: decorator
@inline
function lerp(n: i32, a: usize, b: usize, t: v128): void {
  for (let i = 0; i < n; i += 2) {
    const low = get2(a, i);
    set2(a, i, f64x2.add(low, f64x2.mul(t, f64x2.sub(get2(b, i), low))));
  }
}

/** One half of a cell of four axes, corners of one side of axis 0: axes 3, 2 and 1 folded, as fold and lerp do. */
// @ts-ignore: decorator
@inline
function halfCell(
  a0: v128,
  a4: v128,
  a8: v128,
  a12: v128,
  b0: v128,
  b4: v128,
  b8: v128,
  b12: v128,
  t1: v128,
  t2: v128,
  t3: v128,
  to: usize,
): void {
  const s0 = f64x2.sub(a8, a0);
  const s4 = f64x2.sub(a12, a4);
  const v0 = f64x2.add(a0, f64x2.mul(t3, s0));
  const slopeA = f64x2.sub(f64x2.add(a4, f64x2.mul(t3, s4)), v0);
  const valueA = f64x2.add(v0, f64x2.mul(t2, slopeA));
  const steepA = f64x2.add(s0, f64x2.mul(t2, f64x2.sub(s4, s0)));
  const r0 = f64x2.sub(b8, b0);
  const r4 = f64x2.sub(b12, b4);
  const w0 = f64x2.add(b0, f64x2.mul(t3, r0));
  const slopeB = f64x2.sub(f64x2.add(b4, f64x2.mul(t3, r4)), w0);
  const valueB = f64x2.add(w0, f64x2.mul(t2, slopeB));
  const steepB = f64x2.add(r0, f64x2.mul(t2, f64x2.sub(r4, r0)));
  const step = f64x2.sub(valueB, valueA);
  v128.store(to, f64x2.add(valueA, f64x2.mul(t1, step)));
  v128.store(to, step, 2048); // BLOCK float64s
  v128.store(to, f64x2.add(slopeA, f64x2.mul(t1, f64x2.sub(slopeB, slopeA))), 4096);
  v128.store(to, f64x2.add(steepA, f64x2.mul(t1, f64x2.sub(steepB, steepA))), 6144);
}

/**
 * The same as the general way for four axes with derivatives, most of it in registers: n ≤ BLOCK pixels from pixel j on,
 * the same operations on every number in the same order.
 */
function fourAxes(N: i32, templates: usize, corners: usize, t: usize, j: i32, n: i32, out: usize, stride: i32, scratch: usize): void {
  const t0 = v128.load64_splat(t);
  const t1 = v128.load64_splat(t, 8);
  const t2 = v128.load64_splat(t, 16);
  const t3 = v128.load64_splat(t, 24);
  const row = <usize> BLOCK << 3;
  for (let side = 0; side < 2; side++) {
    const corner = corners + (<usize> side << 2);
    let p0 = templates + ((<usize> load<i32>(corner) * N + j) << 2);
    let p4 = templates + ((<usize> load<i32>(corner, 16) * N + j) << 2);
    let p8 = templates + ((<usize> load<i32>(corner, 32) * N + j) << 2);
    let p12 = templates + ((<usize> load<i32>(corner, 48) * N + j) << 2);
    let q0 = templates + ((<usize> load<i32>(corner, 8) * N + j) << 2);
    let q4 = templates + ((<usize> load<i32>(corner, 24) * N + j) << 2);
    let q8 = templates + ((<usize> load<i32>(corner, 40) * N + j) << 2);
    let q12 = templates + ((<usize> load<i32>(corner, 56) * N + j) << 2);
    let to = scratch + row * (4 * side);
    const end = to + (<usize> (n & ~1) << 3);
    while (to < end) {
      halfCell(
        pairAt(p0, 0),
        pairAt(p4, 0),
        pairAt(p8, 0),
        pairAt(p12, 0),
        pairAt(q0, 0),
        pairAt(q4, 0),
        pairAt(q8, 0),
        pairAt(q12, 0),
        t1,
        t2,
        t3,
        to,
      );
      p0 += 8;
      p4 += 8;
      p8 += 8;
      p12 += 8;
      q0 += 8;
      q4 += 8;
      q8 += 8;
      q12 += 8;
      to += 16;
    }
    if (n & 1) {
      halfCell(
        lastAt(p0, 0),
        lastAt(p4, 0),
        lastAt(p8, 0),
        lastAt(p12, 0),
        lastAt(q0, 0),
        lastAt(q4, 0),
        lastAt(q8, 0),
        lastAt(q12, 0),
        t1,
        t2,
        t3,
        to,
      );
    }
  }
  const column = <usize> stride << 3;
  const other = row << 2;
  let from = scratch;
  let to = out;
  const end = out + (<usize> n << 3);
  while (to < end) {
    const value = v128.load(from);
    const slope1 = v128.load(from, 2048);
    const slope2 = v128.load(from, 4096);
    const slope3 = v128.load(from, 6144);
    const above = from + other;
    const slope0 = f64x2.sub(v128.load(above), value);
    const flux = exp2lanes(f64x2.add(value, f64x2.mul(t0, slope0)));
    v128.store(to, flux);
    let next = to + column;
    v128.store(next, f64x2.mul(flux, slope0));
    next += column;
    v128.store(next, f64x2.mul(flux, f64x2.add(slope1, f64x2.mul(t0, f64x2.sub(v128.load(above, 2048), slope1)))));
    next += column;
    v128.store(next, f64x2.mul(flux, f64x2.add(slope2, f64x2.mul(t0, f64x2.sub(v128.load(above, 4096), slope2)))));
    next += column;
    v128.store(next, f64x2.mul(flux, f64x2.add(slope3, f64x2.mul(t0, f64x2.sub(v128.load(above, 6144), slope3)))));
    from += 16;
    to += 16;
  }
}

/**
 * Pixels j0 ≤ j < j1 of flux into column 0 of out and, if derivatives, ∂m/∂t_d into column 1+d; columns are `stride`
 * float64s apart and are indexed from j0. Writes up to one element past an odd length.
 */
export function interpolateRange(
  N: i32,
  D: i32,
  C: i32,
  templates: usize,
  corners: usize,
  t: usize,
  j0: i32,
  j1: i32,
  out: usize,
  stride: i32,
  scratch: usize,
  derivatives: bool,
): void {
  const row = <usize> BLOCK << 3;
  // derivative of axis d: 2^d rows from row C + 2^d − 1 … on
  for (let j = j0; j < j1; j += BLOCK) {
    const n = j1 - j < BLOCK ? j1 - j : BLOCK;
    if (D == 4 && derivatives) {
      fourAxes(N, templates, corners, t, j, n, at(out, j - j0), stride, scratch);
      continue;
    }
    if (D == 0) {
      const to = scratch;
      const source = templates + ((<usize> load<i32>(corners) * N + j) << 2);
      for (let i = 0; i + 1 < n; i += 2) set2(to, i, pairAt(source, i));
      if (n & 1) set2(to, n - 1, lastAt(source, n - 1));
    } else {
      // the highest axis is folded as the corners are read
      const half = C >> 1;
      const td = v128.load64_splat(at(t, D - 1));
      for (let c = 0; c < half; c++) {
        const low = templates + ((<usize> load<i32>(corners + (<usize> c << 2)) * N + j) << 2);
        const high = templates + ((<usize> load<i32>(corners + (<usize> (c + half) << 2)) * N + j) << 2);
        const to = scratch + row * c;
        const slope = scratch + row * (C + half - 1 + c);
        for (let i = 0; i + 1 < n; i += 2) {
          const a = pairAt(low, i);
          const step = f64x2.sub(pairAt(high, i), a);
          set2(to, i, f64x2.add(a, f64x2.mul(td, step)));
          set2(slope, i, step);
        }
        if (n & 1) {
          const a = lastAt(low, n - 1);
          const step = f64x2.sub(lastAt(high, n - 1), a);
          set2(to, n - 1, f64x2.add(a, f64x2.mul(td, step)));
          set2(slope, n - 1, step);
        }
      }
    }
    for (let d = D - 2; d >= 0; d--) {
      const half = 1 << d;
      const td = v128.load64_splat(at(t, d));
      const slopes = scratch + row * (C + half - 1);
      for (let c = 0; c < half; c++) {
        fold(n, scratch + row * c, scratch + row * (c + half), td, slopes + row * c);
      }
      if (derivatives) {
        for (let e = d + 1; e < D; e++) {
          const folded = scratch + row * (C + (1 << e) - 1);
          for (let c = 0; c < half; c++) lerp(n, folded + row * c, folded + row * (c + half), td);
        }
      }
    }
    const column = at(out, j - j0);
    for (let i = 0; i < n; i += 2) {
      const flux = exp2lanes(get2(scratch, i));
      set2(column, i, flux);
      if (derivatives) {
        for (let d = 0; d < D; d++) {
          const slope = get2(scratch + row * (C + (1 << d) - 1), i);
          set2(column + (<usize> (1 + d) * stride << 3), i, f64x2.mul(flux, slope));
        }
      }
    }
  }
}

/** Spectra of E points: out[e, 0] flux, out[e, 1+d] its derivative in t_d, each N pixels. */
export function interpolate(
  E: i32,
  T: i32,
  N: i32,
  D: i32,
  C: i32,
  templates: usize,
  corners: usize,
  t: usize,
  out: usize,
  work: usize,
): void {
  const padded = (N + 1) & ~1;
  const columns = at(work, interpolateScratch(C));
  for (let e = 0; e < E; e++) {
    const corner = corners + (<usize> e * C << 2);
    interpolateRange(N, D, C, templates, corner, at(t, e * D), 0, N, columns, padded, work, true);
    for (let d = 0; d <= D; d++) {
      memory.copy(at(out, (e * (D + 1) + d) * N), at(columns, d * padded), <usize> N << 3);
    }
  }
}
