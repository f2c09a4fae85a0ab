/** The isotropic kappa distribution of electrons, on the host: for simulations and slow checks. */
import { lnGamma } from "../gamma.ts";

/** Mass over charge, eV s² m⁻², as the flux formula has it. */
export const MASS_EV = 5.685630e-12;
/** The same from CODATA 2018 (9.1093837015e-31 kg / 1.602176634e-19 C), as the temperature has it. */
export const MASS_OVER_CHARGE = 9.1093837015e-31 / 1.602176634e-19;

export interface KappaPlasma {
  /** m⁻³. */
  readonly density: number;
  readonly kappa: number;
  /** Thermal speed θ, m/s. */
  readonly theta: number;
}

/** T of a kappa distribution, eV: m θ² κ / (2 (κ − 3/2) e). */
export function temperatureOf(kappa: number, theta: number): number {
  return theta * theta * MASS_OVER_CHARGE * kappa / (2 * (kappa - 1.5));
}

/** θ, m/s, of a temperature in eV. */
export function thermalSpeedOf(kappa: number, temperature: number): number {
  return Math.sqrt(2 * temperature * (kappa - 1.5) / (MASS_OVER_CHARGE * kappa));
}

/**
 * Omnidirectional differential flux at an energy (eV), cm⁻² s⁻¹ eV⁻¹:
 * J = 4π · 10⁻⁴ · f · v²/m,  f = n/θ³ · Γ(κ+1) / ((πκ)^{3/2} Γ(κ−½)) · (1 + (v/θ)²/κ)^{−κ−1}.
 */
export function kappaFlux({ density, kappa, theta }: KappaPlasma, energy: number): number {
  const v2 = 2 * energy / MASS_EV;
  const g = Math.exp(lnGamma(kappa + 1) - lnGamma(kappa - 0.5)) / (Math.PI * kappa) ** 1.5;
  const f = density / theta ** 3 * g * Math.exp(-(kappa + 1) * Math.log1p(v2 / (theta * theta * kappa)));
  return 4 * Math.PI * 1e-4 * f * v2 / MASS_EV;
}
