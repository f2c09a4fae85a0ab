/**
 * Model atmosphere of the built-in library: a grey temperature run in hydrostatic equilibrium, with the electron
 * pressure from Saha's equation. Two of its layers are all that the spectra need: see builtin_synthesis.ts.
 */
import { atomsPerHydrogen, ELEMENTS, HELIUM, partition, saha } from "./builtin_atoms.ts";
import { continuousOpacity } from "./builtin_opacity.ts";

/** Wavelength of the optical depth scale, Å. */
export const TAU_WAVELENGTH = 5000;

/** State of the gas at one optical depth. */
export interface Layer {
  /** Optical depth in the continuum at {@link TAU_WAVELENGTH}. */
  readonly tau: number;
  /** K. */
  readonly T: number;
  /** Gas and electron pressure, dyn/cm². */
  readonly pg: number;
  readonly pe: number;
  /** Neutral hydrogen, electrons, cm⁻³. */
  readonly nH: number;
  readonly ne: number;
  /** All hydrogen per neutral one. */
  readonly hydrogen: number;
}

export interface Composition {
  readonly feh: number;
  readonly alpha: number;
}

/**
 * T⁴ = ¾ T_eff⁴ (τ + q), q falling from 2/3 to 0.45 towards the surface as line blanketing cools it.
 *
 * @param tau - optical depth
 * @returns K
 */
export function temperature(teff: number, tau: number): number {
  return teff * (0.75 * (tau + 2 / 3 - 0.22 * Math.exp(-3 * tau))) ** 0.25;
}

/** Elements that give electrons in cool stars. */
const DONORS = ["Na", "Mg", "Al", "Si", "K", "Ca", "Cr", "Fe", "Ni"].map((name) => ELEMENTS[name]);
const BOLTZMANN = 1.380649e-16;
/** Grams per hydrogen atom, helium included. */
const GRAMS_PER_H = 1.6735e-24 * (1 + 4 * HELIUM);

/** Saha's constants n(ion)·P_e/n(atom) at one temperature, dyn/cm²: hydrogen, then the donors. */
function sahaConstants(T: number): Float64Array {
  const constants = new Float64Array(1 + DONORS.length);
  constants[0] = saha(T, 1, 13.598, 0.5);
  DONORS.forEach((donor, i) => {
    const [atom, ion] = donor.partition;
    constants[i + 1] = saha(T, 1, donor.ionisation[0], partition(ion, T) / partition(atom, T));
  });
  return constants;
}

/** Electron pressure at given gas pressure: bracketed secant steps in its logarithm. */
function electronPressure(constants: Float64Array, pg: number, donors: Float64Array, start: number): number {
  const miss = (x: number): number => {
    const pe = Math.exp(x);
    let electrons = constants[0] / (constants[0] + pe);
    for (let i = 0; i < donors.length; i++) {
      electrons += donors[i] * constants[i + 1] / (constants[i + 1] + pe);
    }
    return Math.log((pg - pe) / (1 + HELIUM) * electrons) - x;
  };
  let low = Math.log(pg) - 30, high = Math.log(pg / 2);
  let x = Math.min(Math.max(start, low), high), slope = -1.5;
  for (let i = 0; i < 60; i++) {
    const f = miss(x);
    if (f > 0) low = x;
    else high = x;
    if (Math.abs(f) < 1e-10) break;
    const step = x - f / slope;
    const next = step > low && step < high ? step : (low + high) / 2;
    slope = Math.min((miss(next) - f) / (next - x), -0.5);
    x = next;
  }
  return Math.exp(x);
}

function layerAt(tau: number, T: number, pg: number, pe: number): Layer {
  const protons = saha(T, pe, 13.598, 0.5);
  const nuclei = (pg - pe) / (BOLTZMANN * T) / (1 + HELIUM);
  return { tau, T, pg, pe, nH: nuclei / (1 + protons), ne: pe / (BOLTZMANN * T), hydrogen: 1 + protons };
}

/** Opacity per gram at {@link TAU_WAVELENGTH}. */
function opacityPerGram(layer: Layer): number {
  const perH = continuousOpacity(TAU_WAVELENGTH, layer.T, layer.pe, layer.hydrogen - 1);
  return perH / layer.hydrogen / GRAMS_PER_H;
}

/**
 * Integrates dP/dτ = g/κ inwards.
 *
 * @param teff - K
 * @param logg - log10 of the gravity in cm/s²
 * @param taus - optical depths asked for, increasing, ≥ 1e-4
 */
export function atmosphere(
  teff: number,
  logg: number,
  composition: Composition,
  taus: readonly number[],
): Layer[] {
  const g = 10 ** logg;
  const donors = Float64Array.from(
    DONORS,
    (donor) => atomsPerHydrogen(donor, composition.feh, composition.alpha),
  );
  const first = Math.log(1e-5), steps = 24;
  const last = Math.log(taus.at(-1)!);
  // The solution forgets its start within a decade of τ: P² grows in proportion to τ.
  let pg = 10 ** (1.5 + 0.55 * (logg - 2)), x = 0;
  const h = (last - first) / steps;
  const solve = (lnTau: number, pressure: number): Layer => {
    const tau = Math.exp(lnTau), T = temperature(teff, tau);
    const pe = electronPressure(sahaConstants(T), pressure, donors, x || Math.log(pressure * 1e-3));
    x = Math.log(pe);
    return layerAt(tau, T, pressure, pe);
  };
  const run: [number, number][] = [];
  for (let k = 0; k <= steps; k++) {
    const lnTau = first + k * h;
    run.push([lnTau, Math.log(pg)]);
    // Midpoint rule in (ln τ, ln P).
    const here = solve(lnTau, pg);
    const half = pg * Math.exp(0.5 * h * Math.min(here.tau * g / (opacityPerGram(here) * pg), 4));
    const middle = solve(lnTau + 0.5 * h, half);
    pg *= Math.exp(h * Math.min(middle.tau * g / (opacityPerGram(middle) * half), 4));
  }
  return taus.map((tau) => {
    const at = (Math.log(tau) - first) / h, k = Math.min(Math.floor(at), steps - 1);
    const lnP = run[k][1] + (at - k) * (run[k + 1][1] - run[k][1]);
    return solve(Math.log(tau), Math.exp(lnP));
  });
}
