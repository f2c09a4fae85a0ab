import { InputError } from "./input_error.ts";

/** @throws InputError where wavelengths are not positive and increasing, naming the first pixel at fault */
export function checkIncreasing(lam: Float64Array, where: string): void {
  for (let i = 0; i < lam.length; i++) {
    if (lam[i] > (i === 0 ? 0 : lam[i - 1])) continue;
    throw new InputError(
      `${where}: wavelengths do not increase at pixel ${i}: ${lam[i]} after ${lam[i - 1] ?? 0}`,
    );
  }
}
