/**
 * Emergent spectra of the built-in library, by the Eddington-Barbier rule: the flux at a wavelength is the Planck
 * function at the depth where the optical depth there, lines included, is 2/3.
 *
 * Opacities are computed at two layers; between them they follow a power law in depth, outside they are constant. So a
 * line that strengthens outwards forms where it should, and the depth of τ = 2/3 has a closed form.
 */
import { atmosphere, type Composition, TAU_WAVELENGTH, temperature } from "./builtin_atmosphere.ts";
import { addHydrogen, addMetals, BALMER_PASCHEN, LINES, lowerBound } from "./builtin_line_opacity.ts";
import { continuousOpacity } from "./builtin_opacity.ts";
import { type Sampling, sampling } from "./builtin_sampling.ts";

/** Optical depths of the two layers. */
const SHALLOW = 0.04, DEEP = 0.6;
const RATIO = Math.log(DEEP / SHALLOW);
const EMERGENT = 2 / 3;

/** Wavelengths at which the continuum is computed: dense over the confluence of the Balmer lines. */
function continuumNodes(from: number, to: number): Float64Array {
  const nodes = [from];
  while (nodes.at(-1)! < to) {
    const lam = nodes.at(-1)!;
    const dense = (lam > 3630 && lam < 3720) || (lam > 8190 && lam < 8320);
    nodes.push(lam + (dense ? 4 : lam < 4500 ? 20 : 60));
  }
  return Float64Array.from(nodes);
}

export class Synthesiser {
  readonly #sampling: Sampling;
  readonly #nodes: Float64Array;
  readonly #deep: Float64Array;
  readonly #shallow: Float64Array;
  readonly #flux: Float64Array;

  /**
   * @param pixels - vacuum wavelengths of the spectra, Å, increasing
   * @param sigma - standard deviation of the line spread, Å
   */
  constructor(readonly pixels: Float64Array, sigma: number) {
    const centres = [...LINES, ...BALMER_PASCHEN].map((line) => line.lam);
    this.#sampling = sampling(pixels, sigma, centres);
    const { lam } = this.#sampling;
    this.#nodes = continuumNodes(lam[0], lam.at(-1)!);
    this.#deep = new Float64Array(lam.length);
    this.#shallow = new Float64Array(lam.length);
    this.#flux = new Float64Array(lam.length);
  }

  /**
   * One spectrum.
   *
   * @param teff - K
   * @param logg - log10 of the gravity in cm/s²
   * @param out - ln of the flux per Å, normalised to 0 in the continuum at 5000 Å, shape (npix)
   */
  spectrum(teff: number, logg: number, composition: Composition, out: Float32Array): void {
    const { lam, first, count, weights } = this.#sampling;
    const deep = this.#deep, shallow = this.#shallow, flux = this.#flux;
    for (const [layer, total] of this.#layers(teff, logg, composition)) {
      this.#continuum(total, layer.T, layer.pe, layer.hydrogen - 1);
      addMetals(total, lam, layer, composition, logg);
      addHydrogen(total, lam, layer, logg);
    }
    const reference = planck(TAU_WAVELENGTH, temperature(teff, EMERGENT));
    for (let i = 0; i < lam.length; i++) {
      flux[i] = planck(lam[i], temperature(teff, formationDepth(shallow[i], deep[i]))) / reference;
    }
    let k = 0;
    for (let p = 0; p < out.length; p++) {
      const start = first[p], end = start + count[p];
      let sum = 0;
      for (let i = start; i < end; i++) sum += weights[k++] * flux[i];
      out[p] = Math.log(sum);
    }
  }

  #layers(teff: number, logg: number, composition: Composition) {
    const [top, bottom] = atmosphere(teff, logg, composition, [SHALLOW, DEEP]);
    return [[top!, this.#shallow], [bottom!, this.#deep]] as const;
  }

  #continuum(total: Float64Array, T: number, pe: number, ionised: number): void {
    const { lam } = this.#sampling, nodes = this.#nodes;
    const reference = continuousOpacity(TAU_WAVELENGTH, T, pe, ionised);
    let left = continuousOpacity(nodes[0], T, pe, ionised) / reference, i = 0;
    for (let n = 1; n < nodes.length; n++) {
      const right = continuousOpacity(nodes[n], T, pe, ionised) / reference;
      const slope = (right - left) / (nodes[n] - nodes[n - 1]);
      const end = n === nodes.length - 1 ? lam.length : lowerBound(lam, nodes[n]);
      for (; i < end; i++) total[i] = left + slope * (lam[i] - nodes[n - 1]);
      left = right;
    }
  }
}

/** Continuum depth τ at which the optical depth of this wavelength is 2/3. */
function formationDepth(shallow: number, deep: number): number {
  const above = shallow * SHALLOW;
  if (above >= EMERGENT) return EMERGENT / shallow;
  const growth = Math.log(deep / shallow) / RATIO + 1;
  const between = Math.abs(growth) > 1e-6 ? (deep * DEEP - above) / growth : above * RATIO;
  if (above + between <= EMERGENT) return DEEP + (EMERGENT - above - between) / deep;
  const x = (EMERGENT - above) / above;
  return SHALLOW * (Math.abs(growth) > 1e-6 ? (1 + growth * x) ** (1 / growth) : Math.exp(x));
}

/** Planck function per Å, arbitrary scale. @param lam - Å. @param T - K */
function planck(lam: number, T: number): number {
  return (5000 / lam) ** 5 / (Math.exp(1.438777e8 / (lam * T)) - 1);
}
