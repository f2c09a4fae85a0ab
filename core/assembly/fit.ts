// The inner step of the stellar fit, fused: interpolate → rotate → spline → shift → resolve → chi-square, with
// derivatives, so that intermediates stay in cache. Built from the functions of the small kernels and equal to their
// chain.
//
// One evaluation is (spectrum, cell, fractions t, velocity, vsini). Pixels are worked off in chunks of 384: the spline
// system of a chunk is solved on its own knots and 32 more on either side, which moves z by 0.268^32 = 5e-19 of its
// size. Columns of a pixel stand side by side: m, ∂m/∂vsini, ∂m/∂t_0 …, [0], ∂m/∂v, 0.
// Twins: gpu/kernels/fit.cu, core/kernels/fit.ts.
import { goodResidual, marginalise, projectedGradient, residual } from "./chisq";
import { interpolateRange } from "./interpolate";
import { across, at, get, get2, set } from "./memory";
import { convolveRange, rotationHalfWidth, rotationWeights } from "./rotation";
import { dopplerFactor, LIGHT } from "./spline";

const CHUNK: i32 = 384;
const WARMUP: i32 = 32;
const LIMB_DARKENING: f64 = 0.6;

// @ts-ignore: decorator
@inline
function even(n: i32): i32 {
  return (n + 1) & ~1;
}

/** z of NC interleaved columns on nw knots; factor points at the row of the first of them. */
function interleavedSpline(nw: i32, NC: i32, factor: usize, Y: usize, Z: usize): void {
  const row = <usize> NC << 3;
  memory.fill(Z, 0, row);
  memory.fill(Z + row * (nw - 1), 0, row);
  if (NC == 6) return interleavedSpline6(nw, factor, Y, Z);
  for (let pair: usize = 0; pair < row; pair += 16) {
    let d = f64x2.splat(0);
    let y = Y + pair;
    let z = Z + pair;
    let slope = f64x2.mul(f64x2.sub(v128.load(y + row), v128.load(y)), v128.load64_splat(factor, 8));
    let before = v128.load64_splat(factor);
    let f = factor + 32;
    for (let i = 1; i + 1 < nw; i++) {
      y += row;
      z += row;
      const next = f64x2.mul(f64x2.sub(v128.load(y + row), v128.load(y)), v128.load64_splat(f, 8));
      d = f64x2.mul(
        f64x2.sub(f64x2.sub(next, slope), f64x2.mul(before, d)),
        v128.load64_splat(f, 24),
      );
      v128.store(z, d);
      slope = next;
      before = v128.load64_splat(f);
      f += 32;
    }
    d = f64x2.splat(0);
    for (let i = nw - 2; i > 0; i--) {
      f -= 32;
      d = f64x2.sub(v128.load(z), f64x2.mul(v128.load64_splat(f, 16), d));
      v128.store(z, d);
      z -= row;
    }
  }
}

/** The same for three pairs at once, whose chains hide each other's latency: four axes. */
function interleavedSpline6(nw: i32, factor: usize, Y: usize, Z: usize): void {
  let d0 = f64x2.splat(0);
  let d1 = d0;
  let d2 = d0;
  let y = Y;
  let z = Z;
  const first = v128.load64_splat(factor, 8);
  let s0 = f64x2.mul(f64x2.sub(v128.load(y, 48), v128.load(y)), first);
  let s1 = f64x2.mul(f64x2.sub(v128.load(y, 64), v128.load(y, 16)), first);
  let s2 = f64x2.mul(f64x2.sub(v128.load(y, 80), v128.load(y, 32)), first);
  let before = v128.load64_splat(factor);
  let f = factor + 32;
  for (let i = 1; i + 1 < nw; i++) {
    y += 48;
    z += 48;
    const inverse = v128.load64_splat(f, 8);
    const pivot = v128.load64_splat(f, 24);
    const n0 = f64x2.mul(f64x2.sub(v128.load(y, 48), v128.load(y)), inverse);
    const n1 = f64x2.mul(f64x2.sub(v128.load(y, 64), v128.load(y, 16)), inverse);
    const n2 = f64x2.mul(f64x2.sub(v128.load(y, 80), v128.load(y, 32)), inverse);
    d0 = f64x2.mul(f64x2.sub(f64x2.sub(n0, s0), f64x2.mul(before, d0)), pivot);
    d1 = f64x2.mul(f64x2.sub(f64x2.sub(n1, s1), f64x2.mul(before, d1)), pivot);
    d2 = f64x2.mul(f64x2.sub(f64x2.sub(n2, s2), f64x2.mul(before, d2)), pivot);
    v128.store(z, d0);
    v128.store(z, d1, 16);
    v128.store(z, d2, 32);
    s0 = n0;
    s1 = n1;
    s2 = n2;
    before = v128.load64_splat(f);
    f += 32;
  }
  d0 = f64x2.splat(0);
  d1 = d0;
  d2 = d0;
  for (let i = nw - 2; i > 0; i--) {
    f -= 32;
    const c = v128.load64_splat(f, 16);
    d0 = f64x2.sub(v128.load(z), f64x2.mul(c, d0));
    d1 = f64x2.sub(v128.load(z, 16), f64x2.mul(c, d1));
    d2 = f64x2.sub(v128.load(z, 32), f64x2.mul(c, d2));
    v128.store(z, d0);
    v128.store(z, d1, 16);
    v128.store(z, d2, 32);
    z -= 48;
  }
}

/** Planar columns of `stride` to interleaved rows of NC. */
function interleave(n: i32, NC: i32, planar: usize, stride: i32, Y: usize): void {
  const row = <usize> NC << 3;
  for (let c = 0; c < NC; c += 2) {
    const p0 = at(planar, c * stride);
    const p1 = at(planar, (c + 1) * stride);
    let y = Y + (<usize> c << 3);
    let i = 0;
    for (; i + 1 < n; i += 2) {
      const left = get2(p0, i);
      const right = get2(p1, i);
      v128.store(y, v128.shuffle<f64>(left, right, 0, 2));
      v128.store(y + row, v128.shuffle<f64>(left, right, 1, 3));
      y += row << 1;
    }
    if (i < n) {
      store<f64>(y, get(p0, i));
      store<f64>(y, get(p1, i), 8);
    }
  }
}

/** Template and derivatives at the data pixels of one evaluation, before the resolution matrix: T[i·Q + q]. */
function shapeTemplate(
  NL: i32,
  NP: i32,
  D: i32,
  C: i32,
  Q: i32,
  H: i32,
  M: i32,
  templates: usize,
  knots: usize,
  factor: usize,
  grid: usize,
  lam: usize,
  lnlam: usize,
  corners: usize,
  t: usize,
  velocity: f64,
  vsini: f64,
  T: usize,
  template: usize,
  scratch: usize,
): void {
  const NC = Q - 2;
  const stride = even(M + 2 * H + 2);
  const planar = scratch;
  const rotated = at(planar, (D + 1) * stride);
  const Y = at(rotated, NC * stride);
  const Z = at(Y, NC * stride);
  const w = at(Z, NC * stride);
  const dw = at(w, H + 1);
  const fold = at(dw, H + 1);

  const origin = get(grid, 0);
  const step = get(grid, 1);
  const R = vsini / LIGHT / step;
  const half = min(rotationHalfWidth(R), H);
  rotationWeights(R, LIMB_DARKENING, half, w, dw);
  // without rotation only the derivative reaches to the neighbours
  const reach = half == 1 && get(w, 1) == 0 ? 0 : half;
  const perKms = 1.0 / (LIGHT * step);
  for (let k = 0; k <= half; k++) set(dw, k, get(dw, k) * perKms);

  const q = dopplerFactor(velocity);
  const lnq = Math.log(q);
  const beta = velocity / LIGHT;
  const dlnq = -1.0 / ((1.0 - beta * beta) * LIGHT); // per km/s
  const row = <usize> NC << 3;
  const inverseStep = 1.0 / step;
  const qshift = lnq - origin;

  for (let p0 = 0; p0 < NP; p0 += CHUNK) {
    const p1 = min(p0 + CHUNK, NP);
    const first = (get(lnlam, p0) + qshift) * inverseStep;
    const last = (get(lnlam, p1 - 1) + qshift) * inverseStep;
    if (!(first >= 0 && last <= <f64> (NL - 1))) {
      // off the template: the caller's coverage check should have seen it; NaN says so
      for (let i = p0 * Q; i < p1 * Q; i++) set(T, i, NaN);
      for (let i = p0; i < p1; i++) set(template, i, NaN);
      continue;
    }
    const a = max(0, <i32> first - WARMUP);
    const b = min(NL - 1, <i32> last + 1 + WARMUP);
    const nw = b - a + 1;
    const low = max(0, a - half);
    const high = min(NL, b + 1 + half);
    interpolateRange(NL, D, C, templates, corners, t, low, high, planar, stride, fold, true);
    const n = high - low;
    convolveRange(n, reach, planar, w, a - low, b + 1 - low, rotated);
    convolveRange(n, half, planar, dw, a - low, b + 1 - low, at(rotated, stride));
    for (let d = 0; d < D; d++) {
      convolveRange(n, reach, at(planar, (1 + d) * stride), w, a - low, b + 1 - low, at(rotated, (2 + d) * stride));
    }
    if (D & 1) memory.fill(at(rotated, (2 + D) * stride), 0, <usize> nw << 3);
    interleave(nw, NC, rotated, stride, Y);
    interleavedSpline(nw, NC, factor + (<usize> a << 5), Y, Z);

    for (let i = p0; i < p1; i++) {
      let j = <i32> ((get(lnlam, i) + qshift) * inverseStep);
      j = min(max(j, 0), NL - 2);
      const f = factor + (<usize> j << 5);
      const h = load<f64>(f);
      const inverse = load<f64>(f, 8);
      const observed = get(lam, i);
      const u = (observed * q - get(knots, j)) * inverse;
      const v = 1.0 - u;
      const hh = h * h;
      const w0 = f64x2.splat(v);
      const w1 = f64x2.splat(u);
      const w2 = f64x2.splat(hh * (v * v - 1.0) * v);
      const w3 = f64x2.splat(hh * (u * u - 1.0) * u);
      let y = Y + row * (j - a);
      let z = Z + row * (j - a);
      const first = at(T, i * Q);
      let out = first;
      const slope = (load<f64>(y + row) - load<f64>(y)) * inverse +
        h * ((3.0 * u * u - 1.0) * load<f64>(z + row) - (3.0 * v * v - 1.0) * load<f64>(z));
      for (let c = 0; c < NC; c += 2) {
        const value = f64x2.add(
          f64x2.add(f64x2.mul(w0, v128.load(y)), f64x2.mul(w1, v128.load(y + row))),
          f64x2.add(f64x2.mul(w2, v128.load(z)), f64x2.mul(w3, v128.load(z + row))),
        );
        v128.store(out, value);
        y += 16;
        z += 16;
        out += 16;
      }
      store<f64>(out, slope * observed * q * dlnq);
      store<f64>(out, 0, 8);
      set(template, i, load<f64>(first));
    }
  }
}

/** out[i·Q + q] = Σ_m rows[i, m] T[(i+m−W/2)·Q + q], column 0 to `template` as well. */
function resolveColumns(NP: i32, W: i32, Q: i32, rows: usize, T: usize, out: usize, template: usize): void {
  const half = W >> 1;
  let i = 0;
  while (i < NP) {
    if (Q == 8 && W == 2 * half + 1 && i >= half && i + 1 + half < NP) {
      resolveTwo(W, at(rows, i * W), T + (<usize> (i - half) << 6), out + (<usize> i << 6), at(template, i));
      i += 2;
    } else {
      resolveOne(NP, W, Q, i, rows, T, out);
      set(template, i, get(out, i * Q));
      i++;
    }
  }
}

function resolveOne(NP: i32, W: i32, Q: i32, i: i32, rows: usize, T: usize, out: usize): void {
  const half = W >> 1;
  const step = <usize> Q << 3;
  const m0 = max(0, half - i);
  const m1 = min(W, NP + half - i);
  const r = at(rows, i * W);
  const source = T + step * (i + m0 - half);
  const to = out + step * i;
  for (let c: usize = 0; c < step; c += 16) {
    let sum = f64x2.splat(0);
    let from = source + c;
    for (let m = m0; m < m1; m++) {
      sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(at(r, m)), v128.load(from)));
      from += step;
    }
    v128.store(to + c, sum);
  }
}

/** Two neighbouring pixels of eight columns, which share all template pixels but the first and the last. */
// @ts-ignore: decorator
@inline
function resolveTwo(W: i32, r: usize, from: usize, to: usize, template: usize): void {
  let w = v128.load64_splat(r);
  const zero = f64x2.splat(0);
  let a0 = f64x2.add(zero, f64x2.mul(w, v128.load(from)));
  let a1 = f64x2.add(zero, f64x2.mul(w, v128.load(from, 16)));
  let a2 = f64x2.add(zero, f64x2.mul(w, v128.load(from, 32)));
  let a3 = f64x2.add(zero, f64x2.mul(w, v128.load(from, 48)));
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  from += 64;
  r += 8;
  const second = <usize> (W - 1) << 3; // row of the next pixel, one back
  for (let m = 1; m < W; m++) {
    w = v128.load64_splat(r);
    const v = v128.load64_splat(r + second);
    let x = v128.load(from);
    a0 = f64x2.add(a0, f64x2.mul(w, x));
    b0 = f64x2.add(b0, f64x2.mul(v, x));
    x = v128.load(from, 16);
    a1 = f64x2.add(a1, f64x2.mul(w, x));
    b1 = f64x2.add(b1, f64x2.mul(v, x));
    x = v128.load(from, 32);
    a2 = f64x2.add(a2, f64x2.mul(w, x));
    b2 = f64x2.add(b2, f64x2.mul(v, x));
    x = v128.load(from, 48);
    a3 = f64x2.add(a3, f64x2.mul(w, x));
    b3 = f64x2.add(b3, f64x2.mul(v, x));
    from += 64;
    r += 8;
  }
  w = v128.load64_splat(r + second);
  v128.store(to, a0);
  v128.store(to, a1, 16);
  v128.store(to, a2, 32);
  v128.store(to, a3, 48);
  b0 = f64x2.add(b0, f64x2.mul(w, v128.load(from)));
  v128.store(template, v128.shuffle<f64>(a0, b0, 0, 2));
  v128.store(to, b0, 64);
  v128.store(to, f64x2.add(b1, f64x2.mul(w, v128.load(from, 16))), 80);
  v128.store(to, f64x2.add(b2, f64x2.mul(w, v128.load(from, 32))), 96);
  v128.store(to, f64x2.add(b3, f64x2.mul(w, v128.load(from, 48))), 112);
}

/**
 * −2 ln L, gradient and Gauss-Newton matrix of E evaluations. gradient[e] is by (velocity km/s, vsini km/s, t_0 …),
 * curvature[e] the square matrix in the same order. Evaluation e belongs to spectrum entry[e].
 */
export function fit_evaluate(
  E: i32,
  B: i32,
  T: i32,
  NL: i32,
  NP: i32,
  K: i32,
  D: i32,
  C: i32,
  Q: i32,
  W: i32,
  H: i32,
  M: i32,
  templates: usize,
  knots: usize,
  factor: usize,
  grid: usize,
  lam: usize,
  lnlam: usize,
  basis: usize,
  y: usize,
  s: usize,
  sumlog: usize,
  rows: usize,
  entry: usize,
  corners: usize,
  t: usize,
  velocity: usize,
  vsini: usize,
  value: usize,
  gradient: usize,
  curvature: usize,
  work: usize,
): void {
  const columns = work;
  const resolved = at(columns, NP * Q);
  const template = at(resolved, NP * Q);
  const coeff = at(template, NP);
  const g = at(coeff, K);
  const gn = at(g, Q);
  const scratch = at(gn, max(Q * Q, K * K));
  const P = D + 2;
  for (let e = 0; e < E; e++) {
    const b = load<i32>(entry + (<usize> e << 2));
    shapeTemplate(
      NL,
      NP,
      D,
      C,
      Q,
      H,
      M,
      templates,
      knots,
      factor,
      grid,
      lam,
      lnlam,
      corners + (<usize> (e * C) << 2),
      at(t, e * D),
      get(velocity, e),
      get(vsini, e),
      columns,
      template,
      scratch,
    );
    let shaped = columns;
    if (W > 0) {
      resolveColumns(NP, W, Q, at(rows, b * NP * W), columns, resolved, template);
      shaped = resolved;
    }
    const data = at(y, b * NP);
    const weight = at(s, b * NP);
    // all columns but the template and the last, which is zero
    const f = projectedGradient(NP, K, Q, 1, Q - 2, basis, data, weight, shaped, template, coeff, g, gn, scratch);
    set(value, e, f + get(sumlog, b));
    for (let i = 0; i < P; i++) {
      const qi = i == 0 ? Q - 2 : i;
      set(gradient, e * P + i, get(g, qi));
      for (let j = 0; j < P; j++) {
        set(curvature, (e * P + i) * P + j, get(gn, qi * Q + (j == 0 ? Q - 2 : j)));
      }
    }
  }
}

/** Rotated template of one evaluation on all knots and z of its spline. */
function rotatedSpline(
  NL: i32,
  D: i32,
  C: i32,
  H: i32,
  templates: usize,
  factor: usize,
  step: f64,
  corners: usize,
  t: usize,
  vsini: f64,
  y: usize,
  z: usize,
  scratch: usize,
): void {
  const w = scratch;
  const dw = at(w, H + 1);
  const flux = at(dw, H + 1);
  const fold = at(flux, even(NL) + 2);
  const R = vsini / LIGHT / step;
  const half = min(rotationHalfWidth(R), H);
  rotationWeights(R, LIMB_DARKENING, half, w, dw);
  interpolateRange(NL, D, C, templates, corners, t, 0, NL, flux, 0, fold, false);
  convolveRange(NL, half, flux, w, 0, NL, y);
  let slope = (get(y, 1) - get(y, 0)) * get(factor, 1);
  let d: f64 = 0;
  set(z, 0, 0);
  for (let i = 1; i + 1 < NL; i++) {
    const f = factor + (<usize> i << 5);
    const next = (get(y, i + 1) - get(y, i)) * load<f64>(f, 8);
    d = (next - slope - get(f - 32, 0) * d) * load<f64>(f, 24);
    set(z, i, d);
    slope = next;
  }
  d = 0;
  set(z, NL - 1, 0);
  for (let i = NL - 2; i > 0; i--) {
    d = get(z, i) - load<f64>(factor + (<usize> i << 5), 16) * d;
    set(z, i, d);
  }
}

/** The template alone at the data pixels, shifted and resolved. */
function shiftAndResolve(
  NL: i32,
  NP: i32,
  W: i32,
  knots: usize,
  factor: usize,
  grid: usize,
  lam: usize,
  lnlam: usize,
  rows: usize,
  velocity: f64,
  y: usize,
  z: usize,
  shifted: usize,
  out: usize,
): void {
  const q = dopplerFactor(velocity);
  const qshift = Math.log(q) - get(grid, 0);
  const inverseStep = 1.0 / get(grid, 1);
  const to = W > 0 ? shifted : out;
  for (let i = 0; i < NP; i++) {
    const position = (get(lnlam, i) + qshift) * inverseStep;
    if (!(position >= 0 && position <= <f64> (NL - 1))) {
      set(to, i, NaN);
      continue;
    }
    const j = min(<i32> position, NL - 2);
    const f = factor + (<usize> j << 5);
    const h = load<f64>(f);
    const u = (get(lam, i) * q - get(knots, j)) * load<f64>(f, 8);
    const v = 1.0 - u;
    const value = v * get(y, j) + u * get(y, j + 1) +
      h * h * ((v * v - 1.0) * v * get(z, j) + (u * u - 1.0) * u * get(z, j + 1));
    set(to, i, value);
  }
  if (W > 0) {
    const half = W >> 1;
    for (let i = 0; i < NP; i++) {
      const m0 = max(0, half - i);
      const m1 = min(W, NP + half - i);
      const r = at(rows, i * W);
      const source = at(shifted, i - half);
      let pairs = f64x2.splat(0);
      let m = m0;
      for (; m + 1 < m1; m += 2) pairs = f64x2.add(pairs, f64x2.mul(get2(r, m), get2(source, m)));
      let sum = across(pairs);
      if (m < m1) sum += get(r, m) * get(source, m);
      set(out, i, sum);
    }
  }
}

/** −2 ln L of E evaluations at V velocities each, everything else held: value[e, v]. */
export function fit_scan(
  E: i32,
  V: i32,
  B: i32,
  T: i32,
  NL: i32,
  NP: i32,
  K: i32,
  D: i32,
  C: i32,
  W: i32,
  H: i32,
  templates: usize,
  knots: usize,
  factor: usize,
  grid: usize,
  lam: usize,
  lnlam: usize,
  basis: usize,
  y: usize,
  s: usize,
  sumlog: usize,
  rows: usize,
  entry: usize,
  corners: usize,
  t: usize,
  velocity: usize,
  vsini: usize,
  value: usize,
  work: usize,
): void {
  const flux = work;
  const z = at(flux, even(NL) + 2);
  const shifted = at(z, even(NL) + 2);
  const shaped = at(shifted, NP);
  const coeff = at(shaped, NP);
  const l = at(coeff, K);
  const scratch = at(l, K * K);
  for (let e = 0; e < E; e++) {
    const b = load<i32>(entry + (<usize> e << 2));
    const corner = corners + (<usize> (e * C) << 2);
    rotatedSpline(NL, D, C, H, templates, factor, get(grid, 1), corner, at(t, e * D), get(vsini, e), flux, z, scratch);
    for (let v = 0; v < V; v++) {
      shiftAndResolve(
        NL,
        NP,
        W,
        knots,
        factor,
        grid,
        lam,
        lnlam,
        W > 0 ? at(rows, b * NP * W) : 0,
        get(velocity, e * V + v),
        flux,
        z,
        shifted,
        shaped,
      );
      const data = at(y, b * NP);
      const weight = at(s, b * NP);
      const det = marginalise(NP, K, basis, data, weight, shaped, coeff, l, scratch);
      const chi = residual(NP, K, basis, data, weight, shaped, coeff, 0, scratch);
      set(value, e * V + v, det + chi + get(sumlog, b));
    }
  }
}

/** Model, template and coefficients of E evaluations, and Σ residual² over the pixels with good[b, i] ≠ 0. */
export function fit_model(
  E: i32,
  B: i32,
  T: i32,
  NL: i32,
  NP: i32,
  K: i32,
  D: i32,
  C: i32,
  W: i32,
  H: i32,
  templates: usize,
  knots: usize,
  factor: usize,
  grid: usize,
  lam: usize,
  lnlam: usize,
  basis: usize,
  y: usize,
  s: usize,
  sumlog: usize,
  rows: usize,
  good: usize,
  entry: usize,
  corners: usize,
  t: usize,
  velocity: usize,
  vsini: usize,
  value: usize,
  chi2: usize,
  coeff: usize,
  template: usize,
  model: usize,
  work: usize,
): void {
  const flux = work;
  const z = at(flux, even(NL) + 2);
  const shifted = at(z, even(NL) + 2);
  const l = at(shifted, NP);
  const scratch = at(l, K * K);
  for (let e = 0; e < E; e++) {
    const b = load<i32>(entry + (<usize> e << 2));
    const corner = corners + (<usize> (e * C) << 2);
    const shaped = at(template, e * NP);
    const product = at(model, e * NP);
    const data = at(y, b * NP);
    const weight = at(s, b * NP);
    const mask = good + <usize> (b * NP);
    rotatedSpline(NL, D, C, H, templates, factor, get(grid, 1), corner, at(t, e * D), get(vsini, e), flux, z, scratch);
    shiftAndResolve(
      NL,
      NP,
      W,
      knots,
      factor,
      grid,
      lam,
      lnlam,
      W > 0 ? at(rows, b * NP * W) : 0,
      get(velocity, e),
      flux,
      z,
      shifted,
      shaped,
    );
    const a = at(coeff, e * K);
    const det = marginalise(NP, K, basis, data, weight, shaped, a, l, scratch);
    const chi = residual(NP, K, basis, data, weight, shaped, a, product, scratch);
    set(chi2, e, goodResidual(NP, data, weight, product, mask));
    set(value, e, det + chi + get(sumlog, b));
  }
}
