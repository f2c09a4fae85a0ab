/** The plasma that the Moon was in, by illumination and electron temperature. Codes are the reference's. */

/** Codes of `rows_environment_class`. */
export const ENVIRONMENT = {
  unknown: 0,
  "solar wind": 1,
  magnetosheath: 2,
  lobe: 3,
  "plasma sheet": 4,
  wake: 5,
} as const;

/** Upper limits of the temperature, eV, of the classes 1 … 3. */
const LIMITS = [30, 80, 150] as const;

/**
 * Class of a row: wake where its footprint is in the dark, else by temperature. A row whose field line meets no Moon has
 * no footprint in the dark and is classed by temperature; the reference calls it wake.
 *
 * @param footSunlit - null: no footprint, or not known
 * @param temperature - of the electrons, eV; NaN where unknown
 */
export function environmentClass(footSunlit: boolean | null, temperature: number): number {
  if (footSunlit === false) return ENVIRONMENT.wake;
  if (!(temperature > 0)) return ENVIRONMENT.unknown;
  return 1 + LIMITS.filter((limit) => temperature >= limit).length;
}
