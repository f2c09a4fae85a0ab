/** Constants of the elements in the built-in library, from standard tables, rounded. */

export interface Element {
  /** log10 number abundance of the Sun, hydrogen = 12. */
  readonly abundance: number;
  /** Relative atomic mass. */
  readonly mass: number;
  /** First and second ionisation energy, eV. */
  readonly ionisation: readonly [number, number];
  /**
   * Partition functions of the neutral atom, the ion and the second ion: [value at 6000 K, exponent p], U ∝ T^p. Good
   * to 10 % or so between 4000 and 8000 K.
   */
  readonly partition: readonly [
    readonly [number, number],
    readonly [number, number],
    readonly [number, number],
  ];
  /** Scales with [α/Fe]. */
  readonly alpha: boolean;
}

function element(
  abundance: number,
  mass: number,
  ionisation: [number, number],
  partition: [[number, number], [number, number], [number, number]],
  alpha = false,
): Element {
  return { abundance, mass, ionisation, partition, alpha };
}

export const ELEMENTS: Readonly<Record<string, Element>> = {
  C: element(8.43, 12.01, [11.26, 24.38], [[9.3, 0.05], [5.9, 0], [1, 0]]),
  O: element(8.69, 16.0, [13.618, 35.1], [[8.8, 0.05], [4, 0], [9, 0]]),
  Na: element(6.24, 22.99, [5.139, 47.29], [[2.1, 0.2], [1, 0], [6, 0]]),
  Mg: element(7.6, 24.31, [7.646, 15.035], [[1.03, 0.1], [2, 0], [1, 0]], true),
  Al: element(6.45, 26.98, [5.986, 18.83], [[5.9, 0.05], [1, 0], [2, 0]]),
  Si: element(7.51, 28.09, [8.152, 16.35], [[9.5, 0.1], [5.7, 0], [1, 0]], true),
  K: element(5.03, 39.1, [4.341, 31.63], [[2.2, 0.2], [1, 0], [6, 0]]),
  Ca: element(6.34, 40.08, [6.113, 11.87], [[1.25, 0.8], [2.3, 0.3], [1, 0]], true),
  Sc: element(3.15, 44.96, [6.561, 12.8], [[12.5, 0.4], [23, 0.25], [10, 0]]),
  Ti: element(4.95, 47.87, [6.828, 13.58], [[34, 0.9], [58, 0.4], [21, 0]], true),
  Cr: element(5.64, 52.0, [6.767, 16.49], [[11, 0.7], [7.4, 0.4], [25, 0]]),
  Mn: element(5.43, 54.94, [7.434, 15.64], [[6.7, 0.3], [7.8, 0.2], [6, 0]]),
  Fe: element(7.5, 55.85, [7.902, 16.2], [[32, 0.8], [47, 0.5], [25, 0]]),
  Ni: element(6.22, 58.69, [7.64, 18.17], [[30, 0.3], [11, 0.5], [21, 0]]),
  Zn: element(4.56, 65.38, [9.394, 17.96], [[1, 0], [2, 0], [1, 0]]),
  Sr: element(2.87, 87.62, [5.695, 11.03], [[1.4, 1], [2.2, 0.2], [1, 0]]),
  Ba: element(2.18, 137.33, [5.212, 10.0], [[2.6, 1.3], [4.3, 0.5], [1, 0]]),
};

/** Helium atoms per hydrogen atom. */
export const HELIUM = 0.1;

/** Atoms per hydrogen atom. @param feh - [Fe/H]. @param alpha - [α/Fe] */
export function atomsPerHydrogen(element: Element, feh: number, alpha: number): number {
  return 10 ** (element.abundance - 12 + feh + (element.alpha ? alpha : 0));
}

/**
 * Partition function, a power law in T.
 *
 * @param T - K
 */
export function partition([u6000, power]: readonly [number, number], T: number): number {
  return u6000 * (T / 6000) ** power;
}

/**
 * Saha's ratio of neighbouring ionisation stages, n(upper)/n(lower).
 *
 * @param T - K
 * @param pe - electron pressure, dyn/cm²
 * @param energy - ionisation energy, eV
 * @param u - ratio of partition functions, upper/lower
 */
export function saha(T: number, pe: number, energy: number, u: number): number {
  return 0.6665 * u * T ** 2.5 * 10 ** (-energy * 5039.78 / T) / pe;
}

/** Fractions of an element that are neutral and once ionised. */
export function ionFractions(el: Element, T: number, pe: number): [number, number] {
  const [u0, u1, u2] = el.partition.map((u) => partition(u, T));
  const first = saha(T, pe, el.ionisation[0], u1 / u0);
  const second = saha(T, pe, el.ionisation[1], u2 / u1);
  const sum = 1 + first * (1 + second);
  return [1 / sum, first / sum];
}
