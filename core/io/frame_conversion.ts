/**
 * Wavelengths in air and in vacuum: λ_air = λ / (1 + 2.735182e-4 + 131.4182/λ² + 2.76249e8/λ⁴), λ the vacuum
 * wavelength in Å (Morton 1991, ApJS 77, 119, the form that SDSS uses). Meant for 2000 Å and longer.
 */

/** Refractive index by the formula above. @param vacuum - wavelength, Å */
function refraction(vacuum: number): number {
  const square = vacuum * vacuum;
  return 1 + 2.735182e-4 + 131.4182 / square + 2.76249e8 / (square * square);
}

/** @param vacuum - wavelengths, Å, any shape. @returns air wavelengths, Å, same shape */
export function vacuumToAir(vacuum: ArrayLike<number>): Float64Array {
  return Float64Array.from(vacuum, (lam) => lam / refraction(lam));
}

/**
 * The inverse of {@link vacuumToAir}, by iteration to the last bit or two.
 *
 * @param air - wavelengths, Å, any shape
 * @returns vacuum wavelengths, Å, same shape
 */
export function airToVacuum(air: ArrayLike<number>): Float64Array {
  return Float64Array.from(air, (lam) => {
    let vacuum = lam * refraction(lam);
    // Each pass gains more than four digits.
    for (let i = 0; i < 4; i++) vacuum = lam * refraction(vacuum);
    return vacuum;
  });
}
