// Spots of a Gauss-Hermite PSF: the image of one photon of a fibre and a wavelength.
//
//   u = 2(λ − λ_min)/(λ_max − λ_min) − 1, a parameter = Σ_k c_k P_k(u), traces and shapes on domains of their own
//   corner = ⌊X − h + ½⌋,  h = (S−1)/2,  d = ((X + ½) mod 1) − ½,  pixel edges e_k = (k − h − ½ − d)/σ
//   g_0[k] = ∫ φ over pixel k,  g_m[k] = He_{m−1}(e_k)φ(e_k) − He_{m−1}(e_{k+1})φ(e_{k+1})   (1/σ absorbed)
//   S[y][x] = Σ_i gx_i[x] Σ_j GH[i][j] gy_j[y]  (+ tail),  negative → 0, divided by its sum
//   tail = a r²/(c² + r²)^(1+n/2),  r² = (Δx s_x)² + (Δy s_y)² at pixel centres, where a ≠ 0
//
// Two bins at a time, one a lane. With Q(e) = ½ erfc(|e|/√2) and H = −Q (e ≥ 0) or +Q, g_0 is H(e_{k+1}) − H(e_k), and
// one more where the pixel holds the centroid: no digits are lost in the wings, as with differences of erf.
// Twins: gpu/kernels/spots.cu, core/kernels/spots.ts.
import { erfcx2lanes } from "./erf";
import { exp2lanes } from "./exponential";
import { at, get, set } from "./memory";

const ROOT_HALF: f64 = reinterpret<f64>(0x3FE6A09E667F3BCD); // 0.70710678118654752440
const INVERSE_ROOT_2PI: f64 = reinterpret<f64>(0x3FD9884533D43651); // 0.39894228040143267794
const TAILS: i32 = 5;

/** Address of vector i of v128s at p. */
// @ts-ignore: decorator
@inline
function vector(p: usize, i: i32): usize {
  return p + ((<usize> i) << 4);
}

/** Σ_k c_k P_k(u) in both lanes. */
function series(K: i32, c: usize, u: v128): v128 {
  let before = f64x2.splat(0);
  let p = f64x2.splat(1);
  let sum = v128.load64_splat(c);
  for (let k = 1; k < K; k++) {
    const n = <f64> k;
    const after = f64x2.mul(
      f64x2.sub(f64x2.mul(f64x2.mul(f64x2.splat(2.0 * n - 1.0), u), p), f64x2.mul(f64x2.splat(n - 1.0), before)),
      f64x2.splat(1.0 / n),
    );
    before = p;
    p = after;
    sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(at(c, k)), p));
  }
  return sum;
}

/** P_0(u) … P_{K−1}(u) in both lanes. */
function polynomials(K: i32, u: v128, out: usize): void {
  let before = f64x2.splat(0);
  let p = f64x2.splat(1);
  v128.store(out, p);
  for (let k = 1; k < K; k++) {
    const n = <f64> k;
    const after = f64x2.mul(
      f64x2.sub(f64x2.mul(f64x2.mul(f64x2.splat(2.0 * n - 1.0), u), p), f64x2.mul(f64x2.splat(n - 1.0), before)),
      f64x2.splat(1.0 / n),
    );
    before = p;
    p = after;
    v128.store(vector(out, k), p);
  }
}

// @ts-ignore: decorator
@inline
function scaled(wave: v128, min: f64, max: f64): v128 {
  return f64x2.sub(
    f64x2.div(f64x2.mul(f64x2.splat(2.0), f64x2.sub(wave, f64x2.splat(min))), f64x2.splat(max - min)),
    f64x2.splat(1.0),
  );
}

/** Offset of a centroid from the middle of its pixel, [−½, ½). */
// @ts-ignore: decorator
@inline
function offset(x: v128): v128 {
  const shifted = f64x2.add(x, f64x2.splat(0.5));
  return f64x2.sub(f64x2.sub(shifted, f64x2.floor(shifted)), f64x2.splat(0.5));
}

/** First pixel of a spot of S pixels; far outside for what no pixel can be. */
// @ts-ignore: decorator
@inline
function corner(x: f64, half: i32): i32 {
  const first = Math.floor(x - <f64> half + 0.5);
  return first > -1e9 && first < 1e9 ? <i32> first : -1000000000;
}

/**
 * g_m[k] of degrees m < G on S pixels, both lanes; out: [S][G] vectors. `edges`: 3(S + 4) + G vectors of scratch.
 */
function bases(G: i32, S: i32, d: v128, sigma: v128, out: usize, edges: usize): void {
  const E = S + 1;
  const rooms = S + 4;
  const half = <f64> (S >> 1);
  const upper = vector(edges, rooms);
  const current = vector(edges, 2 * rooms);
  const before = vector(edges, 3 * rooms);
  const inverse = f64x2.div(f64x2.splat(1.0), sigma);
  const zero = f64x2.splat(0);
  for (let k = 0; k < E; k += 3) {
    // three edges side by side, for the series is one long chain; the last ones may lie beyond the spot
    const p = f64x2.sub(f64x2.splat(<f64> k - half - 0.5), d);
    const e0 = f64x2.mul(p, inverse);
    const e1 = f64x2.mul(f64x2.add(p, f64x2.splat(1.0)), inverse);
    const e2 = f64x2.mul(f64x2.add(p, f64x2.splat(2.0)), inverse);
    const half2 = f64x2.splat(-0.5);
    const g0 = exp2lanes(f64x2.mul(f64x2.mul(e0, e0), half2));
    const g1 = exp2lanes(f64x2.mul(f64x2.mul(e1, e1), half2));
    const g2 = exp2lanes(f64x2.mul(f64x2.mul(e2, e2), half2));
    const root = f64x2.splat(ROOT_HALF);
    const x0 = f64x2.mul(f64x2.abs(e0), root);
    const x1 = f64x2.mul(f64x2.abs(e1), root);
    const x2 = f64x2.mul(f64x2.abs(e2), root);
    erfcx2lanes(x0, x1, x2, vector(upper, k));
    const norm = f64x2.splat(INVERSE_ROOT_2PI);
    v128.store(vector(edges, k), e0);
    v128.store(vector(edges, k + 1), e1);
    v128.store(vector(edges, k + 2), e2);
    v128.store(vector(current, k), f64x2.mul(g0, norm));
    v128.store(vector(current, k + 1), f64x2.mul(g1, norm));
    v128.store(vector(current, k + 2), f64x2.mul(g2, norm));
    beyond(upper, k, e0, g0);
    beyond(upper, k + 1, e1, g1);
    beyond(upper, k + 2, e2, g2);
  }
  let left = v128.load(edges);
  let h = v128.load(upper);
  for (let k = 0; k < S; k++) {
    const right = v128.load(vector(edges, k + 1));
    const next = v128.load(vector(upper, k + 1));
    const crossing = v128.and(f64x2.lt(left, zero), f64x2.ge(right, zero));
    v128.store(vector(out, k * G), f64x2.add(f64x2.sub(next, h), v128.and(crossing, f64x2.splat(1.0))));
    left = right;
    h = next;
  }
  // edge by edge, He_m φ from the two before it: He_m φ = e He_{m−1}φ − (m−1) He_{m−2}φ; `before` holds the edge to the left
  for (let k = 0; k < E; k++) {
    const e = v128.load(vector(edges, k));
    let row = vector(out, (k - 1) * G);
    let last = zero;
    let now = v128.load(vector(current, k));
    let order: f64 = 0;
    for (let m = 1; m < G; m++, order += 1.0) {
      const kept = vector(before, m);
      if (k > 0) v128.store(vector(row, m), f64x2.sub(v128.load(kept), now));
      v128.store(kept, now);
      const after = f64x2.sub(f64x2.mul(e, now), f64x2.mul(f64x2.splat(order), last));
      last = now;
      now = after;
    }
  }
}

/** H(e) = ∓½ g erfcx, where upper[k] holds erfcx. */
// @ts-ignore: decorator
@inline
function beyond(upper: usize, k: i32, e: v128, g: v128): void {
  const q = f64x2.mul(f64x2.mul(f64x2.splat(0.5), g), v128.load(vector(upper, k)));
  v128.store(vector(upper, k), v128.bitselect(f64x2.neg(q), q, f64x2.ge(e, f64x2.splat(0))));
}

/** Σ_i a_i b_i of n vectors; 7, the degrees of DESI's PSFs, without a loop. */
// @ts-ignore: decorator
@inline
function product(n: i32, a: usize, b: usize): v128 {
  if (n == 7) {
    const s0 = f64x2.add(
      f64x2.mul(v128.load(a), v128.load(b)),
      f64x2.mul(v128.load(a, 16), v128.load(b, 16)),
    );
    const s1 = f64x2.add(
      f64x2.mul(v128.load(a, 32), v128.load(b, 32)),
      f64x2.mul(v128.load(a, 48), v128.load(b, 48)),
    );
    const s2 = f64x2.add(
      f64x2.mul(v128.load(a, 64), v128.load(b, 64)),
      f64x2.mul(v128.load(a, 80), v128.load(b, 80)),
    );
    return f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, f64x2.mul(v128.load(a, 96), v128.load(b, 96))));
  }
  let sum = f64x2.mul(v128.load(a), v128.load(b));
  for (let i = 1; i < n; i++) sum = f64x2.add(sum, f64x2.mul(v128.load(vector(a, i)), v128.load(vector(b, i))));
  return sum;
}

/** S[y][x] of both lanes into their spots, negative pixels 0; the sums. */
function pixels(GX: i32, SX: i32, SY: i32, gx: usize, t: usize, first: usize, second: usize): v128 {
  const zero = f64x2.splat(0);
  let total = zero;
  for (let y = 0; y < SY; y++) {
    const row = vector(t, y * GX);
    let to = y * SX;
    let from = gx;
    let x = 0;
    for (; x + 1 < SX; x += 2, to += 2, from = vector(from, 2 * GX)) {
      const a = f64x2.pmax(product(GX, row, from), zero);
      const b = f64x2.pmax(product(GX, row, vector(from, GX)), zero);
      total = f64x2.add(total, f64x2.add(a, b));
      v128.store(at(first, to), v128.shuffle<f64>(a, b, 0, 2));
      v128.store(at(second, to), v128.shuffle<f64>(a, b, 1, 3));
    }
    if (x < SX) {
      const a = f64x2.pmax(product(GX, row, from), zero);
      total = f64x2.add(total, a);
      set(first, to, f64x2.extract_lane(a, 0));
      set(second, to, f64x2.extract_lane(a, 1));
    }
  }
  return total;
}

/** The tail of one lane at a pixel. */
function tailAt(SX: i32, SY: i32, x: i32, y: i32, dx: f64, dy: f64, tail: usize, lane: i32): f64 {
  const amplitude = get(tail, lane);
  if (amplitude == 0) return 0;
  const core = get(tail, 2 + lane);
  const h = (<f64> (x - (SX >> 1)) - dx) * get(tail, 4 + lane);
  const v = (<f64> (y - (SY >> 1)) - dy) * get(tail, 6 + lane);
  const r2 = h * h + v * v;
  return amplitude * r2 / Math.pow(core * core + r2, 1.0 + 0.5 * get(tail, 8 + lane));
}

/** The same with tails; sums in the same order, so that the tail of one bin changes no bit of the other. */
function pixelsWithTails(
  GX: i32,
  SX: i32,
  SY: i32,
  gx: usize,
  t: usize,
  dx: v128,
  dy: v128,
  tail: usize,
  first: usize,
  second: usize,
): v128 {
  const zero = f64x2.splat(0);
  let total = zero;
  let even = zero;
  for (let y = 0; y < SY; y++) {
    for (let x = 0; x < SX; x++) {
      const one = tailAt(SX, SY, x, y, f64x2.extract_lane(dx, 0), f64x2.extract_lane(dy, 0), tail, 0);
      const two = tailAt(SX, SY, x, y, f64x2.extract_lane(dx, 1), f64x2.extract_lane(dy, 1), tail, 1);
      const tails = f64x2.replace_lane(f64x2.splat(one), 1, two);
      const a = f64x2.pmax(f64x2.add(product(GX, vector(t, y * GX), vector(gx, x * GX)), tails), zero);
      if (x & 1) total = f64x2.add(total, f64x2.add(even, a));
      else if (x + 1 == SX) total = f64x2.add(total, a);
      even = a;
      set(first, y * SX + x, f64x2.extract_lane(a, 0));
      set(second, y * SX + x, f64x2.extract_lane(a, 1));
    }
  }
  return total;
}

/** Brings n pixels to the sum 1; a spot without light stays without. */
function normalise(n: i32, total: f64, spot: usize): void {
  const scale = f64x2.splat(total == 0 ? 0 : 1.0 / total);
  let k = 0;
  for (; k + 1 < n; k += 2) v128.store(at(spot, k), f64x2.mul(v128.load(at(spot, k)), scale));
  if (k < n) set(spot, k, get(spot, k) * f64x2.extract_lane(scale, 0));
}

/** spots[b, l] and their corners for B fibres and L bins. */
export function psf_spots(
  B: i32,
  L: i32,
  KT: i32,
  KP: i32,
  GX: i32,
  GY: i32,
  SX: i32,
  SY: i32,
  wave: usize,
  domains: usize,
  trace: usize,
  shape: usize,
  spots: usize,
  xc: usize,
  yc: usize,
  scratch: usize,
): void {
  const P = 2 + GX * GY + TAILS;
  const params = scratch;
  const gx = vector(params, P);
  const t = vector(gx, GX * SX);
  const gy = vector(t, GX * SY);
  const edges = vector(gy, GY * SY);
  const legendre = edges; // used before the edges are
  const size = SX * SY;
  for (let b = 0; b < B; b++) {
    const traceOf = at(trace, 2 * b * KT);
    const shapeOf = at(shape, b * P * KP);
    for (let l = 0; l < L; l += 2) {
      const one = b * L + l;
      const two = l + 1 < L ? one + 1 : one;
      const lam = f64x2.replace_lane(f64x2.splat(get(wave, one)), 1, get(wave, two));
      const u = scaled(lam, get(domains, 0), get(domains, 1));
      const x = series(KT, traceOf, u);
      const y = series(KT, at(traceOf, KT), u);
      const v = scaled(lam, get(domains, 2), get(domains, 3));
      if (KP <= 4 * (SX + 4)) {
        polynomials(KP, v, legendre);
        for (let p = 0; p < P; p++) {
          const c = at(shapeOf, p * KP);
          let sum = v128.load64_splat(c);
          for (let k = 1; k < KP; k++) {
            sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(at(c, k)), v128.load(vector(legendre, k))));
          }
          v128.store(vector(params, p), sum);
        }
      } else {
        for (let p = 0; p < P; p++) v128.store(vector(params, p), series(KP, at(shapeOf, p * KP), v));
      }
      const dx = offset(x);
      const dy = offset(y);
      bases(GX, SX, dx, v128.load(params), gx, edges);
      bases(GY, SY, dy, v128.load(vector(params, 1)), gy, edges);

      // t_i[y] = Σ_j GH[i][j] gy_j[y], stored [y][i]
      const gh = vector(params, 2);
      for (let r = 0; r < SY; r++) {
        for (let i = 0; i < GX; i++) {
          v128.store(vector(t, r * GX + i), product(GY, vector(gh, i * GY), vector(gy, r * GY)));
        }
      }
      const tail = vector(params, 2 + GX * GY);
      const withTail = get(tail, 0) != 0 || get(tail, 1) != 0;
      const first = at(spots, one * size);
      const second = at(spots, two * size);
      const total = withTail
        ? pixelsWithTails(GX, SX, SY, gx, t, dx, dy, tail, first, second)
        : pixels(GX, SX, SY, gx, t, first, second);
      normalise(size, f64x2.extract_lane(total, 0), first);
      if (two != one) normalise(size, f64x2.extract_lane(total, 1), second);
      store<i32>(xc + (<usize> one << 2), corner(f64x2.extract_lane(x, 0), SX >> 1));
      store<i32>(yc + (<usize> one << 2), corner(f64x2.extract_lane(y, 0), SY >> 1));
      store<i32>(xc + (<usize> two << 2), corner(f64x2.extract_lane(x, 1), SX >> 1));
      store<i32>(yc + (<usize> two << 2), corner(f64x2.extract_lane(y, 1), SY >> 1));
    }
  }
}
