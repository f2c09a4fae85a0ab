/**
 * Continuous opacity of hydrogen, cm² per neutral hydrogen atom: H⁻ bound-free and free-free and H bound-free and
 * free-free after the polynomials in Gray, "The Observation and Analysis of Stellar Photospheres", ch. 8, with Rayleigh
 * scattering. λ in Å, electron pressure in dyn/cm², θ = 5040 K / T.
 */

const H_IONISATION = 13.598;

function hMinusBoundFree(lam: number, theta: number, pe: number): number {
  if (lam > 16000) return 0;
  const sigma = 1.99654 + lam * (-1.18267e-5 + lam * (2.64243e-6 +
            lam * (-4.40524e-10 + lam * (3.23992e-14 + lam * (-1.39568e-18 + lam * 2.78701e-23)))));
  return 4.158e-28 * Math.max(sigma, 0) * pe * theta ** 2.5 * 10 ** (0.754 * theta);
}

function hMinusFreeFree(lam: number, theta: number, pe: number): number {
  const x = Math.log10(lam), y = Math.log10(theta);
  const f0 = -2.2763 + x * (-1.685 + x * (0.76661 - x * 0.053346));
  const f1 = 15.2827 + x * (-9.2846 + x * (1.99381 - x * 0.142631));
  const f2 = -197.789 + x * (190.266 + x * (-67.9775 + x * (10.6913 - x * 0.625151)));
  return 1e-26 * pe * 10 ** (f0 + y * (f1 + y * f2));
}

/** Share of level n that lines so close to the series limit leave to the continuum: a smooth step over the last lines. */
function boundFreeShare(lam: number, n: number): number {
  const edge = 911.75 * n * n;
  const x = (lam / edge - 1) / 0.012;
  if (x <= 0) return 1;
  return x >= 1 ? 0 : (1 - x) ** 2 * (1 + 2 * x);
}

function hydrogen(lam: number, theta: number): number {
  let levels = 0;
  for (let n = 1; n <= 6; n++) {
    const share = boundFreeShare(lam, n);
    if (share > 0) levels += share * 10 ** (-theta * H_IONISATION * (1 - 1 / (n * n))) / n ** 3;
  }
  const continuum = 0.4343 / (2 * theta * H_IONISATION);
  const high = continuum * (10 ** (-theta * H_IONISATION * (1 - 1 / 49)) - 10 ** (-theta * H_IONISATION));
  const freeFree = 1.1 * continuum * 10 ** (-theta * H_IONISATION);
  return 1.0449e-26 * lam ** 3 * (levels + high + freeFree);
}

function rayleigh(lam: number): number {
  const q = 1 / (lam * lam);
  return q * q * (5.799e-13 + q * (1.422e-6 + q * 2.784));
}

/**
 * @param lam - vacuum wavelength, Å
 * @param T - K
 * @param pe - electron pressure, dyn/cm²
 * @param ionised - protons per neutral hydrogen atom, for electron scattering
 * @returns cm² per neutral hydrogen atom
 */
export function continuousOpacity(lam: number, T: number, pe: number, ionised: number): number {
  const theta = 5039.78 / T;
  const stimulated = 1 - 10 ** (-12398.42 / lam * theta);
  return (hMinusBoundFree(lam, theta, pe) + hydrogen(lam, theta)) * stimulated +
    hMinusFreeFree(lam, theta, pe) + rayleigh(lam) + 6.652e-25 * ionised;
}
