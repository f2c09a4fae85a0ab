/**
 * Potential of the spacecraft from the electrons that it sees, sweep by sweep, all of a batch side by side.
 *
 * In sunlight photoelectrons balance the electron current: a first fit at V = 0 gives a current and a potential V₁, a
 * second fit at E − V₁ the final ones. In shadow secondary electrons and ions do, at a negative potential. Where there
 * is no such potential the answer is NaN with its reason. A secondary yield above 1 leaves no root in shadow (κ
 * distributions of T ≈ 300 eV): no negative potential balances it.
 */
import { electronCurrent, photoelectronPotential, shadowPotential } from "../kernels/currents.ts";
import { place, type Target } from "../target.ts";
import { placeCounts } from "./kappa_fitter.ts";
import type { KappaOptions } from "./kappa_options.ts";
import type { KappaResult } from "./kappa_result.ts";
import type { SweepBatch } from "./sweep.ts";

/** Why a sweep has the potential it has, or none. */
export type PotentialReason =
  | "found"
  /** See the reason of the kappa fit. */
  | "no kappa fit"
  /** More electrons than photoelectrons leave at 0 V: not positive, and the sunlit curve has no negative side. */
  | "current above the sunlit curve"
  /** Fewer electrons than photoelectrons leave at 150 V. */
  | "current below the sunlit curve"
  /** No fit is left at the energies that the first potential leaves. */
  | "no second fit"
  /** Shadow: ions and secondaries outweigh the electrons at every potential that was tried. */
  | "secondaries outweigh electrons"
  /** Shadow: the electrons outweigh the others at every potential that was tried. */
  | "electrons outweigh the rest";

export interface SpacecraftPotential {
  /** V; NaN where there is none. */
  readonly potential: number;
  readonly found: boolean;
  readonly reason: PotentialReason;
  readonly sunlit: boolean;
  /** Electron current density that the potential balances, A m⁻²; NaN in shadow and without a fit. */
  readonly electronCurrent: number;
  /** Potential of the first pass of a sunlit sweep, V; else NaN. */
  readonly firstPotential: number;
  /** Temperature of the electrons far from the spacecraft, eV: in shadow T + V/(κ − 3/2). */
  readonly temperature: number;
  /** The last fit that succeeded: in sunlight at E − V₁, in shadow at E. */
  readonly kappa: KappaResult;
}

export interface SpacecraftPotentialFitter {
  /**
   * One answer per sweep, in the order of the batch.
   *
   * @param sunlit - one per sweep, 1 where the spacecraft is in sunlight
   */
  fit(batch: SweepBatch, sunlit: Uint8Array): SpacecraftPotential[];
}

/** Photoelectron current density of a sunlit spacecraft at U volts, A m⁻². */
export function photoelectronCurrent(u: number): number {
  return 1.07e-6 * Math.exp(-u / 5) + 1.6e-8 * Math.exp(-u / 60);
}

/** A fitter for batches with the same options; it leaves nothing on the target between batches. */
export function makeSpacecraftPotentialFitter(
  target: Target,
  options: KappaOptions,
): SpacecraftPotentialFitter {
  return {
    fit(batch, sunlit) {
      const n = batch.count;
      if (sunlit.length !== n) {
        throw new RangeError(`${sunlit.length} flags of sunlight for ${n} sweeps`);
      }
      if (n === 0) return [];
      const mark = target.mark();
      const counts = placeCounts(target, batch, options);
      const first = counts.fit(new Float64Array(n));
      const lit = first.map((_, b) => sunlit[b] === 1);
      const pass1 = sunlitPotentials(target, first, lit, options.currentPoints[0]);
      // NaN leaves the kernel nothing to fit: sweeps in shadow and those without a first potential
      const second = lit.some((is) => is) ? counts.fit(pass1.potential) : first;
      const pass2 = sunlitPotentials(target, second, lit, options.currentPoints[1]);
      const dark = shadowPotentials(target, first, lit.map((is) => !is));
      target.release(mark);
      return first.map((fit, b) => {
        if (lit[b]) return inSun(fit, second[b], pass1, pass2, b);
        return inShadow(fit, dark.potential[b], dark.state[b]);
      });
    },
  };
}

interface Sunlit {
  readonly current: Float64Array;
  readonly potential: Float64Array;
}

/** n, κ, θ of the wanted fits on the target, NaN for the others. */
function placePlasma(target: Target, fits: readonly KappaResult[], wanted: readonly boolean[]) {
  const of = (name: "density" | "kappa" | "theta") =>
    place(target, Float64Array.from(fits, (fit, b) => wanted[b] ? fit[name] : NaN));
  return { density: of("density"), kappa: of("kappa"), theta: of("theta") };
}

function sunlitPotentials(
  target: Target,
  fits: readonly KappaResult[],
  wanted: readonly boolean[],
  points: number,
): Sunlit {
  const B = fits.length, mark = target.mark();
  const current = target.allocate("f64", B), potential = target.allocate("f64", B);
  target.run(electronCurrent, { B, P: points }, { ...placePlasma(target, fits, wanted), current });
  target.run(photoelectronPotential, { B }, { current, potential });
  const out = {
    current: target.download(current) as Float64Array,
    potential: target.download(potential) as Float64Array,
  };
  target.release(mark);
  return out;
}

function shadowPotentials(target: Target, fits: readonly KappaResult[], wanted: readonly boolean[]) {
  const B = fits.length, mark = target.mark();
  const potential = target.allocate("f64", B), state = target.allocate("i32", B);
  target.run(shadowPotential, { B }, { ...placePlasma(target, fits, wanted), potential, state });
  const out = {
    potential: target.download(potential) as Float64Array,
    state: target.download(state) as Int32Array,
  };
  target.release(mark);
  return out;
}

function inSun(
  first: KappaResult,
  second: KappaResult,
  pass1: Sunlit,
  pass2: Sunlit,
  b: number,
): SpacecraftPotential {
  const none = (fit: KappaResult) => Number.isNaN(fit.kappa);
  const off = (current: number): PotentialReason =>
    current > photoelectronCurrent(0) ? "current above the sunlit curve" : "current below the sunlit curve";
  const firstPotential = pass1.potential[b];
  const at = (reason: PotentialReason, fit: KappaResult, current: number, potential = NaN) => ({
    potential,
    found: reason === "found",
    reason,
    sunlit: true,
    electronCurrent: current,
    firstPotential,
    temperature: fit.temperature,
    kappa: fit,
  });
  if (none(first)) return at("no kappa fit", first, NaN);
  if (Number.isNaN(firstPotential)) return at(off(pass1.current[b]), first, pass1.current[b]);
  if (none(second)) return at("no second fit", first, pass1.current[b]);
  const potential = pass2.potential[b], current = pass2.current[b];
  return at(Number.isNaN(potential) ? off(current) : "found", second, current, potential);
}

function inShadow(fit: KappaResult, potential: number, state: number): SpacecraftPotential {
  const reasons: readonly PotentialReason[] = [
    "found",
    "secondaries outweigh electrons",
    "electrons outweigh the rest",
    "no kappa fit",
  ];
  return {
    potential,
    found: state === 0,
    reason: reasons[state],
    sunlit: false,
    electronCurrent: NaN,
    firstPotential: NaN,
    temperature: state === 0 ? fit.temperature + potential / (fit.kappa - 1.5) : fit.temperature,
    kappa: fit,
  };
}
