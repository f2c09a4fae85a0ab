/** The speed of light and the relativistic, radial Doppler shift. */

/** km/s. */
export const LIGHT = 299792.458;

/** Observed wavelength over rest wavelength of a source that recedes at `velocity`, km/s. */
export function dopplerFactor(velocity: number): number {
  const beta = velocity / LIGHT;
  return Math.sqrt((1 + beta) / (1 - beta));
}

/** The velocity, km/s, of a {@link dopplerFactor}. */
export function dopplerVelocity(factor: number): number {
  const square = factor * factor;
  return LIGHT * (square - 1) / (square + 1);
}
