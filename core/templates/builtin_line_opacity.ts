/**
 * Line opacity of the built-in library, in units of the continuous opacity at 5000 Å: Voigt profiles for metals,
 * Holtsmark profiles for hydrogen, and a smooth band for CH.
 */
import { airToVacuum } from "../io/frame_conversion.ts";
import { atomsPerHydrogen, type Element, ELEMENTS, ionFractions, partition } from "./builtin_atoms.ts";
import { type Composition, type Layer, TAU_WAVELENGTH } from "./builtin_atmosphere.ts";
import { HYDROGEN_LINES, METAL_LINES } from "./builtin_lines.ts";
import { continuousOpacity } from "./builtin_opacity.ts";

export interface MetalLine {
  readonly element: string;
  /** 0 = neutral, 1 = once ionised. */
  readonly ion: 0 | 1;
  /** Vacuum wavelength, Å. */
  readonly lam: number;
  /** eV. */
  readonly excitation: number;
  readonly loggf: number;
}

export const LINES: readonly MetalLine[] = Object.entries(METAL_LINES).flatMap(([species, text]) =>
  text.split(";").map((line): MetalLine => {
    const [air, excitation, loggf] = line.trim().split(/\s+/).map(Number);
    const ion = species.endsWith("2") ? 1 : 0;
    return {
      element: species.slice(0, -1),
      ion,
      lam: airToVacuum([air])[0],
      excitation: excitation!,
      loggf: loggf!,
    };
  })
);

export const BALMER_PASCHEN = HYDROGEN_LINES.map(([lower, upper, air, f]) => ({
  lower,
  upper,
  lam: airToVacuum([air])[0],
  f,
}));

const LN10 = Math.LN10;
const SQRT_PI = Math.sqrt(Math.PI);
const KM = 1e5;
/** Of van der Waals broadening over Unsöld's theory: brings Na D, Mg b and Ca II near the values of Anstee and O'Mara. */
const ENHANCEMENT = 1.8;
/** Opacities below this share of the continuum are left out. */
const FAINTEST = 5e-4;

/** First index whose value is ≥ x. */
export function lowerBound(values: Float64Array, x: number): number {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Microturbulence, cm/s: 1 km/s in dwarfs, 2 km/s in giants. */
function microturbulence(logg: number): number {
  return (1 + 0.25 * (5 - logg)) * KM;
}

/**
 * Van der Waals broadening by hydrogen after Unsöld, γ = 17 C₆^(2/5) v^(3/5) n_H, enhanced by the usual factor, plus
 * classical natural damping; s⁻¹.
 */
function damping(line: MetalLine, el: Element, layer: Layer): number {
  const charge = line.ion + 1;
  const limit = el.ionisation[line.ion] - line.excitation;
  const upper = Math.max(limit - 12398.42 / line.lam, 0.4);
  const c6 = 0.3e-30 * charge ** 2 * (1 / upper ** 2 - 1 / limit ** 2);
  const speed = Math.sqrt(8 * 1.380649e-16 * layer.T / (Math.PI * 1.6735e-24));
  return ENHANCEMENT * 17 * c6 ** 0.4 * speed ** 0.6 * layer.nH + 0.2223e16 / line.lam ** 2;
}

/** Adds the opacity of all metal lines and of CH. @param total - opacity per sample, in units of the continuum, shape (samples) */
export function addMetals(
  total: Float64Array,
  lam: Float64Array,
  layer: Layer,
  composition: Composition,
  logg: number,
): void {
  const { T, hydrogen } = layer;
  const reference = continuousOpacity(TAU_WAVELENGTH, T, layer.pe, hydrogen - 1);
  const xi = microturbulence(logg);
  const perH: Record<string, readonly [number, number, number]> = {};
  for (const [name, el] of Object.entries(ELEMENTS)) {
    const atoms = atomsPerHydrogen(el, composition.feh, composition.alpha) * hydrogen;
    const [neutral, ion] = ionFractions(el, T, layer.pe);
    const thermal = 2 * 1.380649e-16 * T / (el.mass * 1.6605e-24);
    perH[name] = [
      atoms * neutral / partition(el.partition[0], T),
      atoms * ion / partition(el.partition[1], T),
      Math.sqrt(thermal + xi * xi),
    ];
  }
  for (const line of LINES) {
    const el = ELEMENTS[line.element];
    const populations = perH[line.element];
    const velocity = populations[2];
    const cm = line.lam * 1e-8;
    const stimulated = 1 - Math.exp(-1.43878 / (cm * T));
    const strength = 0.014974 * populations[line.ion] * cm / velocity * stimulated / reference *
      Math.exp(LN10 * (line.loggf - line.excitation * 5039.78 / T));
    if (strength < FAINTEST) continue;
    const a = damping(line, el, layer) * cm / (4 * Math.PI * velocity);
    const doppler = line.lam * velocity / 2.99792458e10;
    addVoigt(total, lam, line.lam, strength, a, doppler);
  }
  addCH(total, lam, layer, atomsPerHydrogen(ELEMENTS.C!, composition.feh, 0), reference);
}

/** Adds strength·H(a, v), H ≈ exp(−v²) + a (1 − exp(−v²)) / (√π v²). */
function addVoigt(
  total: Float64Array,
  lam: Float64Array,
  centre: number,
  strength: number,
  a: number,
  doppler: number,
): void {
  const wing = strength * a / SQRT_PI;
  const core = Math.log(strength / FAINTEST);
  const reach = doppler * Math.sqrt(Math.max(wing / FAINTEST, core));
  const end = Math.min(reach, 150);
  for (let i = lowerBound(lam, centre - end); i < lam.length; i++) {
    const delta = lam[i] - centre;
    if (delta > end) break;
    const v2 = (delta / doppler) ** 2;
    if (v2 > 20) total[i] += wing / v2;
    else {
      const gauss = Math.exp(-v2);
      total[i] += strength * gauss + wing * (v2 > 1e-6 ? (1 - gauss) / v2 : 1);
    }
  }
}

/**
 * The G band of CH: number density from the dissociation constant, opacity smooth over the band, with its head at
 * 4314.5 Å (air) and a share of the oscillator strength that allows for saturation of its unresolved lines.
 */
function addCH(
  total: Float64Array,
  lam: Float64Array,
  layer: Layer,
  carbon: number,
  reference: number,
): void {
  const theta = 5039.78 / layer.T;
  const logK = 12.1354 + theta * (-4.076 + theta * (1.2768 + theta * (-0.15473 + theta * 0.00739)));
  const carbonPressure = carbon * layer.nH * layer.hydrogen * 1.380649e-16 * layer.T;
  const strength = carbonPressure / 10 ** logK * 2.5e-17 / reference;
  const head = 4315.71, tail = 4278;
  for (let i = lowerBound(lam, tail); i < lam.length && lam[i] < head + 3; i++) {
    const x = lam[i];
    const rise = (x - tail) / (head - tail);
    const shape = rise < 1
      ? rise * (1 + Math.exp((x - head) / 8))
      : 2 * Math.exp(-0.5 * ((x - head) / 0.6) ** 2);
    total[i] += strength * shape;
  }
}

/** Holtsmark's distribution: 1.496 β^(−5/2) far out; (…)/(β₀^(5/2) + β^(5/2)) with this β₀ has unit area. */
const HOLTSMARK = 1.496, BETA0 = 1.575;
/** Ions and electrons: the electrons count as quasi-static in part. */
const PERTURBERS = 1.6;

/**
 * Collisions of hydrogen with hydrogen, which make the Balmer wings of cool stars: cross-section at 10 km/s in atomic
 * units and its exponent, −α (Barklem, Piskunov & O'Mara 2000); lines above Hγ as Hγ.
 */
const SELF_BROADENING: Readonly<Record<number, readonly [number, number]>> = {
  3: [1180, 0.677],
  4: [2320, 0.455],
  5: [4208, 0.38],
};

/** Half width at half maximum, s⁻¹, per hydrogen atom per cm³. @param upper - level of a Balmer line */
function selfBroadening(upper: number, T: number): number {
  const [section, alpha] = SELF_BROADENING[Math.min(upper, 5)];
  const speed = Math.sqrt(16 * 1.380649e-16 * T / (Math.PI * 1.6735e-24));
  // (4/π)^(α/2) Γ(2 − α/2) is 0.98 to 1.0 for these exponents.
  return 0.99 * speed * (speed / 1e6) ** -alpha * section * 2.8003e-17;
}

/**
 * Adds the Balmer and Paschen lines: a Holtsmark profile of the linear Stark effect, widened at its centre to the
 * Doppler width, a Gaussian core with the rest of the area, and the Lorentzian wing of self-broadening.
 */
export function addHydrogen(total: Float64Array, lam: Float64Array, layer: Layer, logg: number): void {
  const { T, ne } = layer;
  const reference = continuousOpacity(TAU_WAVELENGTH, T, layer.pe, layer.hydrogen - 1);
  const field = 1.25e-9 * ne ** (2 / 3);
  const velocity = Math.hypot(Math.sqrt(2 * 1.380649e-16 * T / 1.6735e-24), microturbulence(logg));
  for (const { lower, upper, lam: centre, f } of BALMER_PASCHEN) {
    const cm = centre * 1e-8;
    const level = lower ** 2 * Math.exp(-13.598 * (1 - 1 / lower ** 2) * LN10 * 5039.78 / T);
    const stimulated = 1 - Math.exp(-1.43878 / (cm * T));
    // π e²/(m c²) f λ², cm³; per Å of profile 1e8.
    const area = 8.8525e-13 * f * cm * cm * 1e8 * level * stimulated / reference;
    const doppler = centre * velocity / 2.99792458e10;
    // (3/2) e a₀ F n(n−1)/2 with F in esu, over hc: 0.0192 cm⁻¹ per esu; times λ², in Å.
    const shift = 0.0192 * (upper * (upper - 1) - lower * (lower - 1) * 0.5) * 0.5 * field * cm * centre;
    const stark = shift * PERTURBERS ** (2 / 3);
    const width = Math.hypot(BETA0 * stark, doppler);
    const tail = 0.5 * HOLTSMARK * stark ** 1.5 * area;
    const core = width ** 2.5;
    const gauss = area * Math.max(0, 1 - (BETA0 * stark / width) ** 1.5) / (SQRT_PI * doppler);
    const half = lower === 2
      ? selfBroadening(upper, T) * layer.nH * cm * centre / (2 * Math.PI * 2.99792458e10)
      : 0;
    const wing = area * half / Math.PI;
    const end = Math.min(Math.max((tail / FAINTEST) ** 0.4, Math.sqrt(wing / FAINTEST), 5 * doppler), 250);
    for (let i = lowerBound(lam, centre - end); i < lam.length; i++) {
      const delta = Math.abs(lam[i] - centre);
      if (lam[i] - centre > end) break;
      const v2 = (delta / doppler) ** 2;
      total[i] += tail / (core + delta * delta * Math.sqrt(delta)) + wing / (delta * delta + width * width) +
        (v2 < 20 ? gauss * Math.exp(-v2) : 0);
    }
  }
}
