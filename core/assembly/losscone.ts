// The loss cone of one energy step, and chi-squares cell by cell.
//
//   E′ = max(E − V, 1e-12),   x = clip(b (1 + U/E′), 0, 1)
//   M₀ = 1 where α ≤ 90° or sin²α ≥ x, else g                     (NaN pitch: g)
//   M  = M₀ + [V > U] A exp(−((E − max(V − U, w))/w)²/2) exp(−((α − 180°)/s)²/2)
//   Halekas: χ² = Σ (ln(d + ε) − ln(M + ε))²,   Lillis: χ² = Σ (d − M)² / max(n − 3, 1), n ≥ 5,   ε = 1e-6
//
// The last factor is 1 where s ≤ 0; no beam where w ≤ 0 or A ≤ 0. Source: Halekas et al. 2008, JGR,
// doi:10.1029/2008JA013194 (method); Lillis et al. 2008, Icarus 194. Twins: gpu/kernels/losscone.cu,
// core/kernels/losscone.ts.
import { exponential } from "./exponential";
import { logarithm } from "./logarithm";
import { at, get, set } from "./memory";

export const EPSILON: f64 = 1e-6;
/** Fewest cells of a Lillis χ². */
export const LEAST_CELLS: i32 = 5;
const LEAST_ENERGY: f64 = 1e-12;
const DEGREE: f64 = 0.017453292519943295;

// @ts-ignore: decorator
@inline
export function energyAtMoon(E: f64, V: f64): f64 {
  const value = E - V;
  return value < LEAST_ENERGY ? LEAST_ENERGY : value;
}

/** x = sin² of the edge of the cone. */
// @ts-ignore: decorator
@inline
export function coneEdge(U: f64, b: f64, above: f64): f64 {
  const x = b * (1.0 + U / above);
  return x < 0.0 ? 0.0 : x > 1.0 ? 1.0 : x;
}

/** sin²α of a pitch in degrees above 90, else 2, which is in no cone. */
// @ts-ignore: decorator
@inline
export function sineSquared(pitch: f64): f64 {
  if (!(pitch > 90.0)) return 2.0;
  const s = Math.sin(pitch * DEGREE);
  return s * s;
}

/** Dependence of the beam on energy: 0 where there is none. */
// @ts-ignore: decorator
@inline
export function beamEnergy(E: f64, V: f64, U: f64, w: f64): f64 {
  const difference = V - U;
  if (!(difference > 0.0 && w > 0.0)) return 0.0;
  const z = (E - (difference > w ? difference : w)) / w;
  return exponential(-0.5 * z * z);
}

/** Dependence of the beam on pitch, degrees. */
// @ts-ignore: decorator
@inline
export function beamPitch(pitch: f64, s: f64): f64 {
  if (!(s > 0.0)) return 1.0;
  const z = (pitch - 180.0) / s;
  return exponential(-0.5 * z * z);
}

/** Models of B sweeps: parameters (U, b, A), constants (w, s, g, …). */
export function losscone_model(
  B: i32, R: i32, P: i32,
  energy: usize, potential: usize, pitch: usize, parameters: usize, constants: usize, model: usize,
): void {
  const w = get(constants, 0), s = get(constants, 1), g = get(constants, 2);
  for (let k = 0; k < B * R; k++) {
    const point = at(parameters, k / R * 3);
    const U = get(point, 0), b = get(point, 1), A = get(point, 2);
    const E = get(energy, k), V = get(potential, k);
    const x = coneEdge(U, b, energyAtMoon(E, V));
    const beam = A > 0.0 ? A * beamEnergy(E, V, U, w) : 0.0;
    for (let c = k * P; c < (k + 1) * P; c++) {
      const alpha = get(pitch, c);
      let value = alpha <= 90.0 || (alpha > 90.0 && sineSquared(alpha) >= x) ? 1.0 : g;
      if (beam > 0.0) value += beam * beamPitch(alpha, s);
      set(model, c, value);
    }
  }
}

/** χ² of B sweeps over the cells of the mask; METHOD 0: Halekas, 1: Lillis. */
export function losscone_chisq(
  B: i32, R: i32, P: i32, METHOD: i32, norm: usize, mask: usize, model: usize, chi2: usize,
): void {
  const cells = R * P;
  for (let e = 0; e < B; e++) {
    let sum: f64 = 0;
    let n = 0;
    for (let c = e * cells; c < (e + 1) * cells; c++) {
      if (load<u8>(mask + c) == 0) continue;
      const d = get(norm, c), m = get(model, c);
      const difference = METHOD == 0 ? logarithm(d + EPSILON) - logarithm(m + EPSILON) : d - m;
      sum += isNaN(d) || isNaN(m) ? NaN : difference * difference;
      n++;
    }
    if (METHOD == 0) set(chi2, e, n == 0 ? NaN : sum);
    else set(chi2, e, n < LEAST_CELLS ? NaN : sum / <f64> max(n - 3, 1));
  }
}
