// Kappa distributions of electrons, and their fit to the counts of a sweep.
//
//   J(E) = 4π 10⁻⁴ n/θ³ G(κ) (1 + v²/(κθ²))^{−κ−1} v²/m,  v² = 2E/m,  G = Γ(κ+1)/((πκ)^{3/2} Γ(κ−½))
//   J′_i = Σ_j W_ij J_j,  W_ij ∝ exp(−½ (ln(E_i/E_j)/s)²), rows of unit sum,  s = asinh(¼)/√(2 ln 2)
//   D    = Σ_i 2 w_i (μ_i − N_i + N_i ln(N_i/μ_i)),  μ_i = c_i n M_i,  w_i = 1/(1 + s_N² N_i)
//
// with N_i the counts of the incident cells and c_i the counts that unit isotropic J would make in them. The minimum over
// n is closed: n = Σ w N / Σ w c M. So (κ, λ = lg θ) are left: from the best of a grid, by scoring steps
// S δ = −g, damped (Levenberg & Marquardt), S being Fisher's matrix with n eliminated, each parameter held at a bound
// that its gradient points beyond. Twins: gpu/kernels/kappa.cu, core/kernels/kappa.ts.
import { digamma, lnGamma } from "./gamma";
import { exp2lanes } from "./exponential";
import { log2lanes } from "./logarithm";
import { across, at, get, get2, set, set2 } from "./memory";

/** m/e of the flux formula, eV s² m⁻², and CODATA's, which speeds and temperatures have. */
const MASS: f64 = 5.685630e-12;
const MASS_OVER_CHARGE: f64 = 9.1093837015e-31 / 1.602176634e-19;
const LN10: f64 = reinterpret<f64>(0x40026BB1BBB55516); // 2.30258509299404590109e+00
const LN_PI: f64 = reinterpret<f64>(0x3FF250D048E7A1BD); // 1.14472988584940016388e+00
/** asinh(¼)/√(2 ln 2). */
const SPREAD: f64 = 0.21017866063222765;
/** 4π · 10⁻⁴. */
const SPHERE: f64 = 1.2566370614359172e-3;
const DEGREE: f64 = reinterpret<f64>(0x3F91DF46A2529D39); // 1.74532925199432954744e-02

/** ln G(κ). */
// @ts-ignore: decorator
@inline
export function lnNorm(kappa: f64): f64 {
  return lnGamma(kappa + 1.0) - lnGamma(kappa - 0.5) - 1.5 * (LN_PI + Math.log(kappa));
}

/** J of unit density at v² (m² s⁻²), lnG and ln θ given. */
// @ts-ignore: decorator
@inline
function fluxAt(v2: f64, kappa: f64, lnG: f64, lnTheta: f64, scale: f64): f64 {
  return SPHERE * v2 / MASS * Math.exp(lnG - 3.0 * lnTheta - (kappa + 1.0) * Math.log1p(v2 * scale));
}

/** J of B kappa distributions at N energies each. */
export function kappa_flux(B: i32, N: i32, energy: usize, density: usize, kappa: usize, theta: usize, flux: usize): void {
  for (let b = 0; b < B; b++) {
    const k = get(kappa, b), speed = get(theta, b), n = get(density, b);
    const lnG = lnNorm(k), lnTheta = Math.log(speed), scale = 1.0 / (k * speed * speed);
    const e = at(energy, b * N), f = at(flux, b * N);
    for (let i = 0; i < N; i++) set(f, i, n * fluxAt(2.0 * get(e, i) / MASS, k, lnG, lnTheta, scale));
  }
}

/** W of one sweep, rows of `stride`; rows and columns of energies that are no positive number are 0. */
function response(R: i32, stride: i32, energy: usize, w: usize): void {
  // ln E/s stands in row 0, which is made last
  for (let j = 0; j < R; j++) set(w, j, get(energy, j) > 0 ? Math.log(get(energy, j)) / SPREAD : NaN);
  for (let i = R - 1; i >= 0; i--) {
    const own = get(w, i), row = at(w, i * stride), centre = f64x2.splat(own);
    let sum: f64 = 0;
    let j = 0;
    for (; j + 1 < R; j += 2) {
      const x = f64x2.sub(centre, get2(w, j));
      const value = exp2lanes(f64x2.mul(f64x2.mul(f64x2.splat(-0.5), x), x));
      // NaN is no electron
      const there = v128.and(value, f64x2.eq(x, x));
      set2(row, j, there);
      sum += across(there);
    }
    if (j < R) {
      const x = own - get(w, j), value = x == x ? Math.exp(-0.5 * x * x) : 0.0;
      set(row, j, value);
      sum += value;
    }
    if (sum > 0) for (let j = 0; j < R; j++) set(row, j, get(row, j) / sum);
  }
}

/** W of B sweeps. */
export function kappa_response(B: i32, R: i32, energy: usize, out: usize): void {
  for (let b = 0; b < B; b++) response(R, R, at(energy, b * R), at(out, b * R * R));
}

// @ts-ignore: decorator
@inline
function dot(R: i32, p: usize, q: usize): f64 {
  let sum: f64 = 0;
  for (let j = 0; j < R; j++) sum += get(p, j) * get(q, j);
  return sum;
}

/** χ² of P pairs (κ, lg θ) of B sweeps. */
export function kappa_chisq(
  B: i32, P: i32, R: i32,
  energy: usize, flux: usize, weight: usize, density: usize, trial: usize, chi2: usize, scratch: usize,
): void {
  const model = at(scratch, R * R);
  for (let b = 0; b < B; b++) {
    const e = at(energy, b * R), f = at(flux, b * R), w = at(weight, b * R), n = get(density, b);
    response(R, R, e, scratch);
    for (let p = 0; p < P; p++) {
      const pair = at(trial, 2 * (b * P + p));
      const k = get(pair, 0), lnTheta = get(pair, 1) * LN10;
      const lnG = lnNorm(k), scale = Math.exp(-2.0 * lnTheta) / k;
      for (let j = 0; j < R; j++) {
        const v2 = 2.0 * get(e, j) / MASS;
        set(model, j, v2 > 0 ? n * fluxAt(v2, k, lnG, lnTheta, scale) : 0.0);
      }
      let sum: f64 = 0;
      for (let i = 0; i < R; i++) {
        if (!(get(e, i) > 0)) continue;
        const off = Math.log(dot(R, at(scratch, i * R), model) + 1e-6) - Math.log(get(f, i) + 1e-6);
        const term = get(w, i) * off;
        sum += term * term;
      }
      set(chi2, b * P + p, sum);
    }
  }
}

// PREPARATION //

/** Below the first, and not 0, a flux is a fill value of the archive (±9.999e-99); an azimuth from the second on (999.99). */
const FILL_FLUX: f64 = 1e-90;
const FILL_PHI: f64 = 998;

/** Whether a row has the same directions and the same field as the one before. */
function sameSky(C: i32, phi: usize, field: usize, polarity: usize): bool {
  if (get(polarity, 0) != get(polarity, -1)) return false;
  for (let i = 0; i < 3; i++) if (get(field, i) != get(field, i - 3)) return false;
  for (let k = 0; k < C; k++) if (get(phi, k) != get(phi, k - C)) return false;
  return true;
}

/** Fluxes, counts and weights of B sweeps. scratch: cos θ, sin θ, z of each cell, and 1 where it is incident. */
export function kappa_prepare(
  B: i32, R: i32, C: i32,
  energy: usize, potential: usize, phi: usize, flux: usize, field: usize, polarity: usize,
  theta: usize, solid: usize, factor: usize,
  omni: usize, counts: usize, weight: usize, incident: usize, exposure: usize, density: usize, scratch: usize,
): void {
  const cosine = scratch, sine = at(scratch, C), inward = at(scratch, 2 * C);
  for (let k = 0; k < C; k++) {
    set(cosine, k, Math.cos(get(theta, k) * DEGREE));
    set(sine, k, Math.sin(get(theta, k) * DEGREE));
  }
  for (let b = 0; b < B; b++) {
    let n: f64 = 0;
    for (let r = 0; r < R; r++) {
      const row = b * R + r, cells = row * C;
      const e = get(energy, row), p = get(polarity, row);
      const azimuth = at(phi, cells), values = at(flux, cells), direction = at(field, 3 * row);
      if (r == 0 || !sameSky(C, azimuth, direction, at(polarity, row))) {
        const bx = get(direction, 0), by = get(direction, 1), bz = get(direction, 2);
        const known = (p == 1 || p == -1) && bx * bx + by * by + bz * bz > 0;
        for (let k = 0; k < C; k++) {
          const a = get(azimuth, k) * DEGREE, c = get(cosine, k);
          const along = p * (bx * (Math.cos(a) * c) + by * (Math.sin(a) * c) + bz * get(sine, k));
          // 1 incident, 0 not; ½ where the direction of the cell is unknown, 0 where that of the Moon is
          set(inward, k, !known ? 0.0 : along != along || !(Math.abs(get(azimuth, k)) < FILL_PHI) ? 0.5 : along > 0 ? 1.0 : 0.0);
        }
      }
      let sum: f64 = 0, seen: f64 = 0, whole: f64 = 0, all: f64 = 0, into: f64 = 0, share: f64 = 0;
      const known = e > 0 && e < Infinity;
      for (let k = 0; k < C; k++) {
        const f = get(values, k), omega = get(solid, k), g = get(factor, k), where = get(inward, k);
        const there = f - f == 0 && (f == 0 || Math.abs(f) > FILL_FLUX);
        whole += where * omega;
        if (!there || !known) continue;
        const count = nearest((f > 0 ? f : 0.0) * g * e);
        all += count;
        if (where != 1) continue;
        sum += f * omega;
        seen += omega;
        into += count;
        share += g;
      }
      const j = seen > 0 ? 2.0 * sum * (whole / seen) : NaN;
      set(omni, row, j);
      set(counts, row, all);
      set(incident, row, into);
      set(exposure, row, known ? share * e / (4.0 * Math.PI) : 0.0);
      const sigma = Math.sqrt(all + (0.05 * all) * (0.05 * all) + (0.1 * all) * (0.1 * all));
      const lnSigma = sigma / (all + 1e-6) * j / (j + 1e-6) + 1e-6;
      set(weight, row, all > 0 && seen > 0 ? 1.0 / (lnSigma + 1e-6) : 0.0);
      const left = e - get(potential, row);
      if (seen > 0 && left > 0) n += 1e4 * j / Math.sqrt(2.0 * left / MASS_OVER_CHARGE) * 0.5 * left;
    }
    set(density, b, n);
  }
}

// FIT //

/** Damping that steps start with, its least and most, steps at most. */
const DAMPING: f64 = 1e-3;
const LEAST_DAMPING: f64 = 1e-9;
const STEPS: i32 = 200;
/** A step this small in κ and in lg θ is the last. */
const SMALL_KAPPA: f64 = 1e-10;
const SMALL_THETA: f64 = 1e-11;
/** Increase of D, relative to 1 + D, that rounding explains. */
const ROUNDING: f64 = 1e-13;
/** Starts: middles of so many parts of the ranges of κ and lg θ. */
const KAPPAS: i32 = 4;
const THETAS: i32 = 16;

/** Σ p_j q_j over pairs. */
// @ts-ignore: decorator
@inline
function dotPairs(P: i32, p: usize, q: usize): f64 {
  let sum = f64x2.splat(0);
  for (let j = 0; j < P; j += 2) sum = f64x2.add(sum, f64x2.mul(get2(p, j), get2(q, j)));
  return across(sum);
}

/** One sweep under way: rows in scratch, sums of the last evaluation. */
// @ts-ignore: decorator
@unmanaged
class Fit {
  R: i32;
  /** R or the even number above it: the length of every row, so that all go in pairs. */
  P: i32;
  /** W, then P each: v² (0 = no electrons), J, ∂J/∂κ, ∂J/∂λ, counts N, exposure c (0 = left out), w, c M. */
  w: usize;
  v2: usize;
  flux: usize;
  byKappa: usize;
  byTheta: usize;
  counts: usize;
  exposure: usize;
  weight: usize;
  unit: usize;
  seen: bool;
  weighted: f64;
  /** ln G of the last κ. */
  kappa: f64;
  lnG: f64;

  density: f64;
  gk: f64;
  gt: f64;
  /** Σ w μ D_a D_b with D_n = 1. */
  kk: f64;
  kt: f64;
  tt: f64;
  kn: f64;
  tn: f64;
  nn: f64;

  place(R: i32, scratch: usize): void {
    const P = (R + 1) & ~1;
    this.R = R;
    this.P = P;
    this.w = scratch;
    const rows = at(scratch, R * P);
    this.v2 = rows;
    this.flux = at(rows, P);
    this.byKappa = at(rows, 2 * P);
    this.byTheta = at(rows, 3 * P);
    this.counts = at(rows, 4 * P);
    this.exposure = at(rows, 5 * P);
    this.weight = at(rows, 6 * P);
    this.unit = at(rows, 7 * P);
    // what pairs reach beyond R counts for nothing
    this.kappa = NaN;
    memory.fill(scratch, 0, (<usize> (R * P + 8 * P)) << 3);
    for (let i = R; i < P; i++) set(this.unit, i, 1);
  }

  /** D at (κ, λ), density in closed form; with the derivatives of J where they are wanted. */
  value(kappa: f64, lambda: f64, slopes: bool): f64 {
    const R = this.R, P = this.P, lnTheta = lambda * LN10;
    if (kappa != this.kappa) {
      this.kappa = kappa;
      this.lnG = lnNorm(kappa);
    }
    const front = f64x2.splat(this.lnG - 3.0 * lnTheta), power = f64x2.splat(kappa + 1.0);
    const scale = f64x2.splat(Math.exp(-2.0 * lnTheta) / kappa), one = f64x2.splat(1.0);
    const dG = slopes ? digamma(kappa + 1.0) - digamma(kappa - 0.5) - 1.5 / kappa : 0.0;
    for (let j = 0; j < P; j += 2) {
      const v2 = get2(this.v2, j);
      const x = f64x2.mul(v2, scale), more = f64x2.add(one, x), ln = log2lanes(more);
      const shape = exp2lanes(f64x2.sub(front, f64x2.mul(power, ln)));
      const value = f64x2.mul(f64x2.mul(v2, f64x2.splat(SPHERE / MASS)), shape);
      set2(this.flux, j, value);
      if (!slopes) continue;
      const part = f64x2.div(f64x2.mul(power, x), more);
      const dk = f64x2.add(f64x2.sub(f64x2.splat(dG), ln), f64x2.mul(part, f64x2.splat(1.0 / kappa)));
      const dt = f64x2.sub(f64x2.add(part, part), f64x2.splat(3.0));
      set2(this.byKappa, j, f64x2.mul(value, dk));
      set2(this.byTheta, j, f64x2.mul(f64x2.mul(value, f64x2.splat(LN10)), dt));
    }
    for (let i = 0; i < R; i++) {
      const c = get(this.exposure, i);
      const m = this.seen ? dotPairs(P, at(this.w, i * P), this.flux) : get(this.flux, i);
      set(this.unit, i, c > 0 ? c * m : 1.0);
    }
    const n = this.weighted / dotPairs(P, this.weight, this.unit);
    this.density = n;
    let d = f64x2.splat(0);
    for (let i = 0; i < P; i += 2) {
      const mu = f64x2.mul(f64x2.splat(n), get2(this.unit, i)), N = get2(this.counts, i);
      // where N is 0, so is N times whatever the logarithm gives, which is finite
      const pull = f64x2.add(f64x2.sub(mu, N), f64x2.mul(N, log2lanes(f64x2.div(N, mu))));
      d = f64x2.add(d, f64x2.mul(get2(this.weight, i), pull));
    }
    return 2.0 * across(d);
  }

  /** Gradient of D and Fisher's sums at the point last evaluated with slopes. */
  slopes(): void {
    const R = this.R, P = this.P, n = this.density;
    let gk: f64 = 0, gt: f64 = 0, kk: f64 = 0, kt: f64 = 0, tt: f64 = 0, kn: f64 = 0, tn: f64 = 0, nn: f64 = 0;
    for (let i = 0; i < R; i++) {
      const c = get(this.exposure, i);
      if (!(c > 0)) continue;
      const unit = get(this.unit, i), mu = n * unit, w = get(this.weight, i);
      const row = at(this.w, i * P);
      const dk = c * (this.seen ? dotPairs(P, row, this.byKappa) : get(this.byKappa, i)) / unit;
      const dt = c * (this.seen ? dotPairs(P, row, this.byTheta) : get(this.byTheta, i)) / unit;
      const pull = 2.0 * w * (mu - get(this.counts, i)), f = w * mu;
      gk += pull * dk;
      gt += pull * dt;
      kk += f * dk * dk;
      kt += f * dk * dt;
      tt += f * dt * dt;
      kn += f * dk;
      tn += f * dt;
      nn += f;
    }
    this.gk = gk;
    this.gt = gt;
    this.kk = kk;
    this.kt = kt;
    this.tt = tt;
    this.kn = kn;
    this.tn = tn;
    this.nn = nn;
  }
}

/** In static memory: the arena begins where a heap would. */
const fit = changetype<Fit>(memory.data(256));

// @ts-ignore: decorator
@inline
function clamp(x: f64, low: f64, high: f64): f64 {
  return x < low ? low : x > high ? high : x;
}

/** Covariance of the free parameters from Fisher's sums; bits of `held`: 1 κ, 2 λ. */
function covariance(held: i32, out: usize): void {
  const kn = fit.kn / fit.nn, tn = fit.tn / fit.nn;
  const kk = fit.kk - fit.kn * kn, kt = fit.kt - fit.kn * tn, tt = fit.tt - fit.tn * tn;
  let ckk: f64 = 0, ckt: f64 = 0, ctt: f64 = 0;
  if (held == 0) {
    const det = kk * tt - kt * kt;
    const inverse = det > 1e-14 * kk * tt ? 1.0 / det : NaN;
    ckk = tt * inverse;
    ckt = -kt * inverse;
    ctt = kk * inverse;
  } else if (held == 1) {
    ctt = tt > 0 ? 1.0 / tt : NaN;
  } else if (held == 2) {
    ckk = kk > 0 ? 1.0 / kk : NaN;
  }
  const cnk = -(ckk * kn + ckt * tn), cnt = -(ckt * kn + ctt * tn);
  set(out, 0, ckk);
  set(out, 1, ckt);
  set(out, 2, ctt);
  set(out, 3, cnk);
  set(out, 4, cnt);
  set(out, 5, 1.0 / fit.nn - cnk * kn - cnt * tn);
}

// @ts-ignore: decorator
@inline
function setState(state: usize, b: i32, code: i32, rows: i32, held: i32): void {
  const s = state + ((<usize> (3 * b)) << 2);
  store<i32>(s, code);
  store<i32>(s + 4, rows);
  store<i32>(s + 8, held);
}

/** Fits B sweeps. */
export function kappa_fit(
  B: i32, R: i32, RESPONSE: i32,
  energy: usize, potential: usize, incident: usize, exposure: usize, settings: usize,
  solution: usize, covarianceOut: usize, deviance: usize, state: usize, scratch: usize,
): void {
  const lowK = get(settings, 0), highK = get(settings, 1), lowT = get(settings, 2), highT = get(settings, 3);
  const systematic = get(settings, 4) * get(settings, 4);
  fit.place(R, scratch);
  fit.seen = RESPONSE != 0;
  for (let b = 0; b < B; b++) {
    const e = at(energy, b * R);
    response(R, fit.P, e, fit.w);
    let rows = 0, filled = 0;
    let weighted: f64 = 0;
    for (let i = 0; i < R; i++) {
      const ei = get(e, i), left = ei - get(potential, b * R + i);
      const c = get(exposure, b * R + i), N = get(incident, b * R + i);
      const there = ei > 0 && left > 0 && left < Infinity;
      const used = there && c > 0 && c < Infinity && N >= 0 && N < Infinity;
      const w = used ? 1.0 / (1.0 + systematic * N) : 0.0;
      set(fit.v2, i, there ? 2.0 * left / MASS : 0.0);
      set(fit.exposure, i, used ? c : 0.0);
      set(fit.counts, i, used ? N : 0.0);
      set(fit.weight, i, w);
      if (!used) continue;
      rows++;
      if (N > 0) filled++;
      weighted += w * N;
    }
    fit.weighted = weighted;
    if (rows < 3 || filled < 2) {
      for (let i = 0; i < 3; i++) set(solution, 3 * b + i, NaN);
      for (let i = 0; i < 6; i++) set(covarianceOut, 6 * b + i, NaN);
      set(deviance, b, NaN);
      setState(state, b, rows < 3 ? 2 : 3, rows, 0);
      continue;
    }
    let kappa: f64 = 0, lambda: f64 = 0, best: f64 = Infinity;
    for (let i = 0; i < KAPPAS; i++) {
      const k = lowK + (highK - lowK) * (<f64> i + 0.5) / <f64> KAPPAS;
      for (let j = 0; j < THETAS; j++) {
        const t = lowT + (highT - lowT) * (<f64> j + 0.5) / <f64> THETAS;
        const d = fit.value(k, t, false);
        if (d < best) {
          best = d;
          kappa = k;
          lambda = t;
        }
      }
    }
    let damping = DAMPING, code = 1;
    best = fit.value(kappa, lambda, true);
    fit.slopes();
    for (let step = 0; step < STEPS; step++) {
      const fixK = (kappa <= lowK && fit.gk > 0) || (kappa >= highK && fit.gk < 0);
      const fixT = (lambda <= lowT && fit.gt > 0) || (lambda >= highT && fit.gt < 0);
      const kk = 2.0 * (fit.kk - fit.kn * fit.kn / fit.nn) * (1.0 + damping);
      const kt = 2.0 * (fit.kt - fit.kn * fit.tn / fit.nn);
      const tt = 2.0 * (fit.tt - fit.tn * fit.tn / fit.nn) * (1.0 + damping);
      let dk: f64 = 0, dt: f64 = 0;
      if (!fixK && !fixT) {
        const det = kk * tt - kt * kt;
        dk = (kt * fit.gt - tt * fit.gk) / det;
        dt = (kt * fit.gk - kk * fit.gt) / det;
      } else if (!fixK) {
        dk = -fit.gk / kk;
      } else if (!fixT) {
        dt = -fit.gt / tt;
      }
      const k = clamp(kappa + dk, lowK, highK), t = clamp(lambda + dt, lowT, highT);
      if (!(Math.abs(k - kappa) > SMALL_KAPPA) && !(Math.abs(t - lambda) > SMALL_THETA)) {
        code = k == k && t == t ? 0 : 1;
        break;
      }
      const d = fit.value(k, t, true);
      if (d <= best + ROUNDING * (1.0 + best)) {
        kappa = k;
        lambda = t;
        best = d;
        damping = Math.max(0.1 * damping, LEAST_DAMPING);
        fit.slopes();
      } else {
        damping *= 10.0;
      }
    }
    best = fit.value(kappa, lambda, true);
    fit.slopes();
    const held = (kappa <= lowK || kappa >= highK ? 1 : 0) | (lambda <= lowT || lambda >= highT ? 2 : 0);
    set(solution, 3 * b, kappa);
    set(solution, 3 * b + 1, lambda);
    set(solution, 3 * b + 2, Math.log(fit.density));
    covariance(held, at(covarianceOut, 6 * b));
    set(deviance, b, best);
    setState(state, b, code, rows, held);
  }
}
