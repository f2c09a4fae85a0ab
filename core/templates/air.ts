/** Wavelengths in air and in vacuum. */

/**
 * λ_vacuum / λ_air in the approximation that the reference and the SDSS pipelines use (Morton 1991, truncated); good to
 * 1e-8 between 2000 Å and 2 µm.
 */
function refraction(vacuum: number): number {
  const q = 1 / (vacuum * vacuum);
  return 1 + 2.735182e-4 + q * (131.4182 + 2.76249e8 * q);
}

/** @param lam - vacuum wavelength, Å. @returns wavelength in air, Å */
export function vacuumToAir(lam: number): number {
  return lam / refraction(lam);
}

/** The inverse of {@link vacuumToAir}, to machine precision. @param lam - wavelength in air, Å */
export function airToVacuum(lam: number): number {
  let vacuum = lam;
  for (let i = 0; i < 4; i++) vacuum = lam * refraction(vacuum);
  return vacuum;
}
