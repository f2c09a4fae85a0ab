/** The template of one evaluation by the slow chain: interpolate → rotate → dense spline → shift → resolve. */
import { slowInterpolate } from "./interpolate.ts";
import { slowResolve } from "./resolution.ts";
import { slowRotate, slowRotationWeights } from "./rotation.ts";
import { slowSplines, slowSplineValue } from "./spline.ts";

const LIGHT = 299792.458, LIMB_DARKENING = 0.6;

export interface Scene {
  readonly templates: ArrayLike<number>;
  readonly knots: ArrayLike<number>;
  /** Step of the knots in ln λ. */
  readonly step: number;
  readonly lam: ArrayLike<number>;
  /** Largest half-width of the rotation, template pixels. */
  readonly H: number;
}

export interface Point {
  readonly corners: ArrayLike<number>;
  readonly t: ArrayLike<number>;
  readonly velocity: number;
  readonly vsini: number;
}

/** Wavelength in the rest frame of a source of radial velocity v, km/s, over the observed one. */
export function slowDoppler(velocity: number): number {
  const beta = velocity / LIGHT;
  return Math.sqrt((1 - beta) / (1 + beta));
}

/** Templates of one library at the data pixels. */
export function slowTemplates(
  { templates, knots, step, lam, H }: Scene,
): (point: Point, W: number, rows: ArrayLike<number>) => Float64Array {
  const splines = slowSplines(knots);
  return ({ corners, t, velocity, vsini }, W, rows) => {
    const flux = slowInterpolate(templates, knots.length, corners, t)[0]!;
    const broad = slowRotate(flux, slowRotationWeights(vsini / LIGHT / step, LIMB_DARKENING, H).w);
    const z = splines(broad);
    const q = slowDoppler(velocity);
    const seen = Float64Array.from(lam, (v) => slowSplineValue(knots, broad, z, v * q));
    return W === 0 ? seen : slowResolve(W, rows, seen);
  };
}
