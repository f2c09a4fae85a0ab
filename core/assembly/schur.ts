// Inverse covariances of single fibres: what is left of K when the light of the neighbours is fitted along.
//
//   S_s = C_ss⁻¹ = K_ss − K_so K_oo⁻¹ K_os = K_ss − XᵀX,   X = L⁻¹ K_os,   K_oo = L Lᵀ
//
// o: the W fibres on either side of s; those past the edge of the bundle count as not coupled to anything. Unknowns are
// ordered by wavelength, then fibre, couplings reach D bins, so that K_oo is a band. S is kept within H bins of the
// diagonal, and a column of X is followed H bins beyond its couplings: both fall off by about half a decade a bin.
// Two fibres go at a time, one a lane; columns of X in groups of four. Twins: gpu/kernels/schur.cu, core/kernels/schur.ts.
import { factorColumns, pairRow, pairStride } from "./band_pair";
import { at, get, set } from "./memory";

const GROUP = 4;

/** Bins that the columns of one group of X reach over. */
// @ts-ignore: decorator
@inline
function groupBins(D: i32, H: i32): i32 {
  return 2 * D + GROUP + H;
}

/** Groups of X that are kept: those that couple to the newest. */
// @ts-ignore: decorator
@inline
function keptGroups(H: i32): i32 {
  return (H + GROUP - 1) / GROUP + 1;
}

/** K[(t, f), (u, g)] of a lower band of half-width HK, F fibres; 0 outside. */
// @ts-ignore: decorator
@inline
function element(band: usize, HK: i32, F: i32, t: i32, f: i32, u: i32, g: i32): f64 {
  const m = t * F + f;
  const n = u * F + g;
  const d = m > n ? m - n : n - m;
  return d > HK ? 0.0 : get(band, (m > n ? m : n) * (HK + 1) + HK - d);
}

/** Number of the o-th neighbour of fibre s, or −1 past the edges. */
// @ts-ignore: decorator
@inline
function neighbour(s: i32, o: i32, W: i32, F: i32): i32 {
  const f = o < W ? s - W + o : s + 1 + o - W;
  return f >= 0 && f < F ? f : -1;
}

/** Bins of K_oo that come on at a time, so that what is worked on stays in the cache. */
const CHUNK = 32;

/** Bins that all fibres are brought on by in turn, a multiple of GROUP. */
const STRETCH = 32;

/** Bins of K_oo that are held: of a group's columns, those factored ahead of it, and those that these reach. */
// @ts-ignore: decorator
@inline
function heldBins(D: i32, H: i32): i32 {
  return groupBins(D, H) + D + 1 + CHUNK;
}

/** Bins t0 ≤ t < t1 of K_oo of fibre s into one lane of the pair. */
function gatherOthers(
  band: usize,
  HK: i32,
  F: i32,
  D: i32,
  W: i32,
  s: i32,
  lane: usize,
  a: usize,
  t0: i32,
  t1: i32,
): void {
  const others = 2 * W;
  const Ho = (D + 1) * others - 1;
  for (let t = t0; t < t1; t++) {
    for (let o = 0; o < others; o++) {
      const i = t * others + o;
      const row = pairRow(Ho, a, i) + lane;
      const f = neighbour(s, o, W, F);
      if (f < 0) {
        store<f64>(row + ((<usize> i) << 4), 1.0);
        continue;
      }
      // column n of K's row m is at line + 8·n; the band begins at column m − HK
      const m = t * F + f;
      const line = band + ((<usize> (m * (HK + 1) + HK - m)) << 3);
      for (let u = t > D ? t - D : 0; u <= t; u++) {
        for (let p = 0; p < others; p++) {
          const j = u * others + p;
          if (j > i || i - j > Ho) continue;
          const g = neighbour(s, p, W, F);
          const n = u * F + g;
          if (g < 0 || m - n > HK) continue;
          store<f64>(row + ((<usize> j) << 4), get(line, n));
        }
      }
    }
  }
}

/**
 * The same for fibres s and s+1 at once, none of whose neighbours lies past the edge: what the second lane holds stands in
 * K one row and one column farther on.
 */
function gatherPair(band: usize, HK: i32, F: i32, D: i32, W: i32, s: i32, a: usize, t0: i32, t1: i32): void {
  const others = 2 * W;
  const Ho = (D + 1) * others - 1;
  const next = (<usize> (HK + 1)) << 3;
  for (let t = t0; t < t1; t++) {
    for (let o = 0; o < others; o++) {
      const i = t * others + o;
      const m = t * F + (o < W ? s - W + o : s + 1 + o - W);
      const line = band + ((<usize> (m * (HK + 1) + HK - m)) << 3);
      for (let u = t > D ? t - D : 0; u <= t; u++) {
        let to = pairRow(Ho, a, i) + ((<usize> (u * others)) << 4);
        // neighbours on one side stand side by side
        for (let side = 0; side < 2; side++) {
          const from = u * F + (side == 0 ? s - W : s + 1);
          const most = u == t ? o + 1 - side * W : W;
          for (let p = 0; p < most && p < W; p++) {
            const n = from + p;
            if (m - n <= HK) {
              const at = line + ((<usize> n) << 3);
              v128.store(to + ((<usize> p) << 4), v128.load64_lane(at + next, v128.load64_zero(at), 1));
            }
          }
          to += (<usize> W) << 4;
        }
      }
    }
  }
}

/** Right-hand sides of column c, bin j, for fibres s and s+1 as above. */
// @ts-ignore: decorator
@inline
function couplePair(band: usize, HK: i32, F: i32, L: i32, D: i32, W: i32, s: i32, x: usize, t0: i32, j: i32, c: i32): void {
  const next = (<usize> (HK + 1)) << 3;
  const n = j * F + s;
  for (let t = j > D ? j - D : 0; t <= j + D && t < L; t++) {
    let to = x + ((<usize> ((t - t0) * 2 * W * GROUP + c)) << 4);
    for (let o = 0; o < 2 * W; o++) {
      const m = t * F + (o < W ? s - W + o : s + 1 + o - W);
      const d = m > n ? m - n : n - m;
      if (d <= HK) {
        const at = band + ((<usize> ((m > n ? m : n) * (HK + 1) + HK - d)) << 3);
        v128.store(to, v128.load64_lane(at + next, v128.load64_zero(at), 1));
      }
      to += GROUP << 4;
    }
  }
}

/**
 * Rows first ≤ r < end of L x = b in place, four columns whose element r is at x + 64·r, zero before `first`. Two rows at
 * a time: what is before both of them is read once.
 */
function forwardGroup(Ho: i32, a: usize, inverse: usize, x: usize, first: i32, end: i32): void {
  const zero = f64x2.splat(0);
  let r = first;
  for (; r + 1 < end; r += 2) {
    const low = r - Ho > first ? r - Ho : first;
    let l = pairRow(Ho, a, r) + ((<usize> low) << 4);
    // of the second row the column before its first is a zero of the padding
    let k = pairRow(Ho, a, r + 1) + ((<usize> low) << 4);
    const xr = x + ((<usize> r) << 6);
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    let b0 = zero;
    let b1 = zero;
    let b2 = zero;
    let b3 = zero;
    for (let xk = x + ((<usize> low) << 6); xk < xr; xk += 64) {
      const p = v128.load(l);
      const q = v128.load(k);
      const x0 = v128.load(xk);
      a0 = f64x2.add(a0, f64x2.mul(p, x0));
      b0 = f64x2.add(b0, f64x2.mul(q, x0));
      const x1 = v128.load(xk, 16);
      a1 = f64x2.add(a1, f64x2.mul(p, x1));
      b1 = f64x2.add(b1, f64x2.mul(q, x1));
      const x2 = v128.load(xk, 32);
      a2 = f64x2.add(a2, f64x2.mul(p, x2));
      b2 = f64x2.add(b2, f64x2.mul(q, x2));
      const x3 = v128.load(xk, 48);
      a3 = f64x2.add(a3, f64x2.mul(p, x3));
      b3 = f64x2.add(b3, f64x2.mul(q, x3));
      l += 16;
      k += 16;
    }
    const scale = v128.load(inverse + ((<usize> r) << 4));
    a0 = f64x2.mul(f64x2.sub(v128.load(xr), a0), scale);
    a1 = f64x2.mul(f64x2.sub(v128.load(xr, 16), a1), scale);
    a2 = f64x2.mul(f64x2.sub(v128.load(xr, 32), a2), scale);
    a3 = f64x2.mul(f64x2.sub(v128.load(xr, 48), a3), scale);
    v128.store(xr, a0);
    v128.store(xr, a1, 16);
    v128.store(xr, a2, 32);
    v128.store(xr, a3, 48);
    // column r of row r+1
    const own = Ho > 0 ? v128.load(k) : zero;
    const second = v128.load(inverse + ((<usize> (r + 1)) << 4));
    v128.store(xr, f64x2.mul(f64x2.sub(v128.load(xr, 64), f64x2.add(b0, f64x2.mul(own, a0))), second), 64);
    v128.store(xr, f64x2.mul(f64x2.sub(v128.load(xr, 80), f64x2.add(b1, f64x2.mul(own, a1))), second), 80);
    v128.store(xr, f64x2.mul(f64x2.sub(v128.load(xr, 96), f64x2.add(b2, f64x2.mul(own, a2))), second), 96);
    v128.store(xr, f64x2.mul(f64x2.sub(v128.load(xr, 112), f64x2.add(b3, f64x2.mul(own, a3))), second), 112);
  }
  if (r < end) {
    const low = r - Ho > first ? r - Ho : first;
    let l = pairRow(Ho, a, r) + ((<usize> low) << 4);
    const xr = x + ((<usize> r) << 6);
    let a0 = zero;
    let a1 = zero;
    let a2 = zero;
    let a3 = zero;
    for (let xk = x + ((<usize> low) << 6); xk < xr; xk += 64) {
      const p = v128.load(l);
      a0 = f64x2.add(a0, f64x2.mul(p, v128.load(xk)));
      a1 = f64x2.add(a1, f64x2.mul(p, v128.load(xk, 16)));
      a2 = f64x2.add(a2, f64x2.mul(p, v128.load(xk, 32)));
      a3 = f64x2.add(a3, f64x2.mul(p, v128.load(xk, 48)));
      l += 16;
    }
    const scale = v128.load(inverse + ((<usize> r) << 4));
    v128.store(xr, f64x2.mul(f64x2.sub(v128.load(xr), a0), scale));
    v128.store(xr, f64x2.mul(f64x2.sub(v128.load(xr, 16), a1), scale), 16);
    v128.store(xr, f64x2.mul(f64x2.sub(v128.load(xr, 32), a2), scale), 32);
    v128.store(xr, f64x2.mul(f64x2.sub(v128.load(xr, 48), a3), scale), 48);
  }
}

/** What is kept of a pair of fibres between its stretches of bins: a head of two doubles, then vectors. */
function pairDoubles(L: i32, D: i32, W: i32, H: i32): i32 {
  const others = 2 * W;
  const stride = pairStride((D + 1) * others - 1);
  return 2 + 2 * others * (heldBins(D, H) * stride + L + keptGroups(H) * groupBins(D, H) * GROUP);
}

/**
 * S of the pair of fibres s and s2 of one bundle, s2 < 0: of s alone; bins from ≤ j < to, those before being done. `work`
 * keeps what the next bins need.
 */
function schurPair(
  band: usize,
  HK: i32,
  F: i32,
  L: i32,
  D: i32,
  W: i32,
  H: i32,
  s: i32,
  s2: i32,
  out: usize,
  from: i32,
  to: i32,
  work: usize,
): void {
  const others = 2 * W;
  const N = L * others;
  const Ho = (D + 1) * others - 1;
  const binBytes = (<usize> (others * pairStride(Ho))) << 4;
  const held = work + 16;
  const inverse = held + binBytes * heldBins(D, H);
  const ring = inverse + ((<usize> N) << 4);
  const bins = groupBins(D, H);
  const rows = bins * others;
  const groupBytes = (<usize> (rows * GROUP)) << 4;
  const kept = keptGroups(H);
  const second = s2 < 0 ? s : s2;
  const inner = s2 == s + 1 && s >= W && s2 + W < F;
  // rows of K_oo, later of L, of bins kept0 ≤ t < gathered are at held; columns of bins below `done` are factored
  let kept0 = from == 0 ? 0 : load<i32>(work);
  let gathered = from == 0 ? 0 : load<i32>(work, 4);
  let done = from == 0 ? 0 : load<i32>(work, 8);
  const zero = f64x2.splat(0);
  for (let j0 = from; j0 < to; j0 += GROUP) {
    const g = j0 / GROUP;
    const x = ring + groupBytes * (g % kept);
    const t0 = j0 - D;
    // right-hand sides, then the solution in their place
    memory.fill(x, 0, groupBytes);
    for (let c = 0; c < GROUP && j0 + c < L; c++) {
      const j = j0 + c;
      if (inner) {
        couplePair(band, HK, F, L, D, W, s, x, t0, j, c);
        continue;
      }
      for (let o = 0; o < others; o++) {
        const f = neighbour(s, o, W, F);
        const f2 = neighbour(second, o, W, F);
        for (let t = j > D ? j - D : 0; t <= j + D && t < L; t++) {
          const at = x + ((<usize> (((t - t0) * others + o) * GROUP + c)) << 4);
          if (f >= 0) store<f64>(at, element(band, HK, F, t, f, j, s));
          if (f2 >= 0) store<f64>(at + 8, element(band, HK, F, t, f2, j, second));
        }
      }
    }
    const wanted = t0 + bins < L ? t0 + bins : L;
    if (done < wanted) {
      const low = t0 > 0 ? t0 : 0;
      const least = low < done ? low : done;
      memory.copy(held, held + binBytes * (least - kept0), binBytes * (gathered - least));
      kept0 = least;
      const end = kept0 + heldBins(D, H) < L ? kept0 + heldBins(D, H) : L;
      const fresh = held + binBytes * (gathered - kept0);
      memory.fill(fresh, 0, binBytes * (end - gathered));
      const rows0 = held - binBytes * kept0;
      if (inner) gatherPair(band, HK, F, D, W, s, rows0, gathered, end);
      else {
        gatherOthers(band, HK, F, D, W, s, 0, rows0, gathered, end);
        gatherOthers(band, HK, F, D, W, second, 8, rows0, gathered, end);
      }
      gathered = end;
      const until = gathered < L ? gathered - D - 1 : L;
      factorColumns(N, Ho, rows0, inverse, done * others, until * others);
      done = until;
    }
    // element (i, k) of the whole of K_oo is where it would be if all bins were held
    const a = held - binBytes * kept0;
    const first = t0 > 0 ? t0 * others : 0;
    const end = t0 + bins < L ? (t0 + bins) * others : N;
    // element r of the columns is at shift + 64·r
    const shift = x - ((<usize> (t0 * others)) << 6);
    forwardGroup(Ho, a, inverse, shift, first, end);
    for (let back = 0; back < kept && back <= g; back++) {
      const y = ring + groupBytes * ((g - back) % kept);
      const over = back * GROUP * others;
      for (let d = 0; d < GROUP; d += 2) {
        let b00 = zero;
        let b01 = zero;
        let b10 = zero;
        let b11 = zero;
        let b20 = zero;
        let b21 = zero;
        let b30 = zero;
        let b31 = zero;
        let p = x;
        let q = y + ((<usize> over) << 6) + (<usize> d << 4);
        for (let r = over; r < rows; r++) {
          const y0 = v128.load(q);
          const y1 = v128.load(q, 16);
          const x0 = v128.load(p);
          b00 = f64x2.add(b00, f64x2.mul(x0, y0));
          b01 = f64x2.add(b01, f64x2.mul(x0, y1));
          const x1 = v128.load(p, 16);
          b10 = f64x2.add(b10, f64x2.mul(x1, y0));
          b11 = f64x2.add(b11, f64x2.mul(x1, y1));
          const x2 = v128.load(p, 32);
          b20 = f64x2.add(b20, f64x2.mul(x2, y0));
          b21 = f64x2.add(b21, f64x2.mul(x2, y1));
          const x3 = v128.load(p, 48);
          b30 = f64x2.add(b30, f64x2.mul(x3, y0));
          b31 = f64x2.add(b31, f64x2.mul(x3, y1));
          p += 64;
          q += 64;
        }
        const column = j0 - back * GROUP + d;
        place(band, HK, F, L, H, s, s2, out, j0, column, b00);
        place(band, HK, F, L, H, s, s2, out, j0, column + 1, b01);
        place(band, HK, F, L, H, s, s2, out, j0 + 1, column, b10);
        place(band, HK, F, L, H, s, s2, out, j0 + 1, column + 1, b11);
        place(band, HK, F, L, H, s, s2, out, j0 + 2, column, b20);
        place(band, HK, F, L, H, s, s2, out, j0 + 2, column + 1, b21);
        place(band, HK, F, L, H, s, s2, out, j0 + 3, column, b30);
        place(band, HK, F, L, H, s, s2, out, j0 + 3, column + 1, b31);
      }
    }
  }
  store<i32>(work, kept0);
  store<i32>(work, gathered, 4);
  store<i32>(work, done, 8);
}

/** S_ij = K_ij − sum of both lanes' fibres, where the band of S has it. */
// @ts-ignore: decorator
@inline
function place(
  band: usize,
  HK: i32,
  F: i32,
  L: i32,
  H: i32,
  s: i32,
  s2: i32,
  out: usize,
  i: i32,
  j: i32,
  sum: v128,
): void {
  if (i >= L || j > i || i - j > H) return;
  const at = H - i + j;
  set(out, (s * L + i) * (H + 1) + at, element(band, HK, F, i, s, j, s) - f64x2.extract_lane(sum, 0));
  if (s2 >= 0) set(out, (s2 * L + i) * (H + 1) + at, element(band, HK, F, i, s2, j, s2) - f64x2.extract_lane(sum, 1));
}

/** Bands of S of all fibres of B bundles. */
export function fibre_schur(
  B: i32,
  F: i32,
  L: i32,
  D: i32,
  W: i32,
  H: i32,
  HK: i32,
  band: usize,
  s: usize,
  work: usize,
): void {
  for (let b = 0; b < B; b++) {
    const k = band + ((<usize> b * F * L * (HK + 1)) << 3);
    const out = s + ((<usize> b * F * L * (H + 1)) << 3);
    memory.fill(out, 0, (<usize> F * L * (H + 1)) << 3);
    // all fibres for a stretch of bins, so that K comes from memory once
    for (let from = 0; from < L; from += STRETCH) {
      const to = from + STRETCH < L ? from + STRETCH : L;
      for (let f = 0; f < F; f += 2) {
        const own = at(work, (f >> 1) * pairDoubles(L, D, W, H));
        if (f + 1 < F) schurPair(k, HK, F, L, D, W, H, f, f + 1, out, from, to, own);
        else schurPair(k, HK, F, L, D, W, H, f, -1, out, from, to, own);
      }
    }
  }
}
