/** The wavelength grid of an extraction. */
import { InputError } from "../io/input_error.ts";
import { type Psf, wavelengthRange } from "./psf.ts";

/** Bin width where none is asked for, Å. */
export const DEFAULT_STEP = 0.8;

/** A uniform grid: first wavelength, last that may be reached, step; Å. */
export interface GridRequest {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** min, min + step … up to max, which is reached where rounding puts a bin within half a step of it. */
export function uniformGrid({ min, max, step }: GridRequest): Float64Array {
  const bins = Math.max(0, Math.ceil((max + step / 2 - min) / step - 1e-9));
  return Float64Array.from({ length: bins }, (_, i) => min + i * step);
}

/**
 * The grid that was asked for, or all that the PSF is made for.
 *
 * @throws InputError where it reaches beyond the traces, or has no bins
 */
export function extractionGrid(psf: Psf, request: GridRequest | null): Float64Array {
  const range = wavelengthRange(psf);
  if (request === null) {
    const min = Math.ceil(range.min), max = range.max;
    return uniformGrid({ min, max: max - DEFAULT_STEP / 2, step: DEFAULT_STEP });
  }
  const wave = uniformGrid(request);
  const { min, max, step } = request;
  const text = `--wavelength ${min},${max},${step}`;
  if (wave.length === 0) {
    throw new InputError(`${text}: holds no bin; give FIRST,LAST,STEP with LAST above FIRST`);
  }
  if (wave[0]! >= range.min && wave[wave.length - 1]! <= range.max) return wave;
  throw new InputError(
    `${text}: reaches beyond the traces of ${psf.path}, which are defined from ${range.min} to ${range.max} Å`,
  );
}
