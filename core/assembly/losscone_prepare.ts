// From flux to the tables of the fit: pitch angles, normalised flux with its mask, cells sorted by pitch with prefix sums.
//
//   α = acos(clip(p B·d/|B|, −1, 1)), d = (cos φ cos θ, sin φ cos θ, sin θ), p = ±1; NaN where p is neither
//   ratio:  norm = F / max(s, 1e-6), s = mean or largest F > 0 with α < 90° of the row
//   ratio2: 1 where α < 90°; else F / F(valid incident cell with pitch nearest 180° − α); the cell nearest 90°: 1
//
// A row whose cone edge is x costs Σ_j c_1j + Σ_{j < i} (c_gj − c_1j), i = #(sin²α < x): `prefix` holds that for every i,
// cells in order of falling pitch. Masks: Halekas norm > 0; Lillis 0.07 < F/max incident F < 0.79; both E ≥ V.
// Twins: gpu/kernels/losscone_prepare.cu, core/kernels/losscone_prepare.ts.
import { logarithm } from "./logarithm";
import { beamPitch, EPSILON, sineSquared } from "./losscone";
import { at, get, set } from "./memory";

const DEGREE: f64 = 0.017453292519943295;
const LEAST_FLUX: f64 = 1e-6;
const LILLIS_LOW: f64 = 0.07;
const LILLIS_HIGH: f64 = 0.79;
/** The archive's fills: flux ±9.99e-99, azimuth 998.99 and 999.99. */
const FILL_FLUX: f64 = 1e-90;
const FILL_AZIMUTH: f64 = 998.0;

/** Pitch angles, degrees, of B sweeps; FILL 1: fill azimuths are numbers. */
export function losscone_pitch(
  B: i32, R: i32, P: i32, FILL: i32, theta: usize, phi: usize, field: usize, polarity: usize, pitch: usize,
): void {
  for (let k = 0; k < B * R; k++) {
    const p = get(polarity, k);
    const x = get(field, 3 * k), y = get(field, 3 * k + 1), z = get(field, 3 * k + 2);
    const scale = (p == 1.0 || p == -1.0 ? p : NaN) / Math.sqrt(x * x + y * y + z * z);
    for (let j = 0; j < P; j++) {
      const azimuth = get(phi, k * P + j);
      if (FILL == 0 && azimuth >= FILL_AZIMUTH) {
        set(pitch, k * P + j, NaN);
        continue;
      }
      const t = get(theta, j) * DEGREE, f = azimuth * DEGREE;
      const level = Math.cos(t);
      const dot = (x * (Math.cos(f) * level) + y * (Math.sin(f) * level) + z * Math.sin(t)) * scale;
      set(pitch, k * P + j, Math.acos(dot < -1.0 ? -1.0 : dot > 1.0 ? 1.0 : dot) / DEGREE);
    }
  }
}

/** Whether a flux counts: finite and above zero. */
// @ts-ignore: decorator
@inline
function positive(F: f64): bool {
  return F > 0.0 && F < Infinity;
}

/** Flux, NaN where it is a fill and fills are missing data. */
// @ts-ignore: decorator
@inline
function unfilled(F: f64, FILL: i32): f64 {
  return FILL == 0 && F != 0.0 && Math.abs(F) < FILL_FLUX ? NaN : F;
}

/** Normalised flux of one row by the opposite incident cell. */
function partners(P: i32, FILL: i32, flux: usize, pitch: usize, norm: usize): void {
  let incident = false, reflected = false, valid = false;
  let nearest = -1;
  let distance = Infinity;
  for (let j = 0; j < P; j++) {
    const alpha = get(pitch, j);
    if (alpha < 90.0) incident = true;
    if (alpha >= 90.0) reflected = true;
    if (alpha < 90.0 && positive(unfilled(get(flux, j), FILL))) valid = true;
    const off = Math.abs(alpha - 90.0);
    if (off < distance) {
      distance = off;
      nearest = j;
    }
  }
  for (let j = 0; j < P; j++) {
    const alpha = get(pitch, j), F = unfilled(get(flux, j), FILL);
    let value: f64 = NaN;
    if (incident && reflected && valid && positive(F)) {
      if (alpha < 90.0) value = 1.0;
      else if (alpha >= 90.0) {
        let best = Infinity;
        for (let i = 0; i < P; i++) {
          const beta = get(pitch, i), G = unfilled(get(flux, i), FILL);
          if (!(beta < 90.0 && positive(G))) continue;
          const off = Math.abs(beta - (180.0 - alpha));
          if (off < best) {
            best = off;
            value = F / G;
          }
        }
      }
    }
    set(norm, j, value);
  }
  if (incident && reflected && valid && nearest >= 0) set(norm, nearest, 1.0);
}

/**
 * Normalised flux, mask and number of valid cells of B sweeps. METHOD 0: Halekas, 1: Lillis; RATIO2, HIGHEST (incident
 * statistic: the largest, not the mean), FILL: 0 or 1.
 */
export function losscone_normalise(
  B: i32, R: i32, P: i32, METHOD: i32, RATIO2: i32, HIGHEST: i32, FILL: i32,
  energy: usize, potential: usize, flux: usize, pitch: usize, norm: usize, mask: usize, valid: usize,
): void {
  for (let e = 0; e < B; e++) {
    let n = 0;
    for (let k = e * R; k < (e + 1) * R; k++) {
      const f = at(flux, k * P), a = at(pitch, k * P), d = at(norm, k * P);
      let sum: f64 = 0, highest: f64 = 0;
      let count = 0;
      for (let j = 0; j < P; j++) {
        const F = unfilled(get(f, j), FILL);
        if (!(get(a, j) < 90.0 && positive(F))) continue;
        sum += F;
        count++;
        if (F > highest) highest = F;
      }
      if (RATIO2 != 0) partners(P, FILL, f, a, d);
      else {
        const s = HIGHEST != 0 ? highest : sum / <f64> max(count, 1);
        const scale = count == 0 ? NaN : s < LEAST_FLUX ? LEAST_FLUX : s;
        for (let j = 0; j < P; j++) set(d, j, unfilled(get(f, j), FILL) / scale);
      }
      const used = get(energy, k) >= get(potential, k);
      for (let j = 0; j < P; j++) {
        const value = get(d, j);
        let counts = used && positive(value) && !isNaN(get(a, j));
        if (METHOD != 0) {
          const F = unfilled(get(f, j), FILL);
          const share = F / highest;
          counts = counts && positive(F) && share > LILLIS_LOW && share < LILLIS_HIGH;
        }
        store<u8>(mask + k * P + j, counts ? 1 : 0);
        if (counts) n++;
      }
    }
    store<i32>(valid + (<usize> e << 2), n);
  }
}

/**
 * Tables of B·R rows, cells of the mask in order of falling pitch: sin²α (2 where α ≤ 90°; also the padding), dependence of
 * the beam on pitch, y (Halekas: ln(norm + ε), Lillis: norm), cost of the row by the number of cells in the cone.
 */
export function losscone_tables(
  B: i32, R: i32, P: i32, METHOD: i32, pitch: usize, norm: usize, mask: usize, constants: usize,
  sine: usize, beam: usize, y: usize, prefix: usize, cells: usize, order: usize,
): void {
  const s = get(constants, 1), g = get(constants, 2);
  const inside = METHOD == 0 ? logarithm(g + EPSILON) : g;
  const outside = METHOD == 0 ? logarithm(1.0 + EPSILON) : 1.0;
  for (let k = 0; k < B * R; k++) {
    const a = at(pitch, k * P), d = at(norm, k * P);
    let n = 0;
    for (let j = 0; j < P; j++) {
      if (load<u8>(mask + k * P + j) == 0) continue;
      // insertion: the cell goes behind all whose pitch is not lower
      const alpha = get(a, j);
      let i = n++;
      for (; i > 0 && get(a, load<i32>(order + (<usize> (i - 1) << 2))) < alpha; i--) {
        store<i32>(order + (<usize> i << 2), load<i32>(order + (<usize> (i - 1) << 2)));
      }
      store<i32>(order + (<usize> i << 2), j);
    }
    store<i32>(cells + (<usize> k << 2), n);
    let base: f64 = 0;
    for (let i = 0; i < P; i++) {
      const to = k * P + i;
      if (i >= n) {
        set(sine, to, 2.0);
        set(beam, to, 0.0);
        set(y, to, 0.0);
        continue;
      }
      const j = load<i32>(order + (<usize> i << 2));
      const value = METHOD == 0 ? logarithm(get(d, j) + EPSILON) : get(d, j);
      set(sine, to, sineSquared(get(a, j)));
      set(beam, to, beamPitch(get(a, j), s));
      set(y, to, value);
      base += (value - outside) * (value - outside);
    }
    const sums = at(prefix, k * (P + 1));
    set(sums, 0, base);
    for (let i = 0; i < P; i++) {
      const value = get(y, k * P + i);
      const more = i < n ? (value - inside) * (value - inside) - (value - outside) * (value - outside) : 0.0;
      set(sums, i + 1, get(sums, i) + more);
    }
  }
}
