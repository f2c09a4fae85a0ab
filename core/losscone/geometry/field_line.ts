/** Straight field lines from the spacecraft to the Moon, and what the Sun shines on. Moon-fixed frame, km. */
import { along, cross, dot, unit, type Vector } from "./vectors.ts";

/** Radius of the Moon, km. */
export const MOON_RADIUS = 1737.4;

/** Distance to the first point of the sphere ahead along a unit vector; NaN where there is none. */
export function distanceToMoon(from: Vector, direction: Vector, radius = MOON_RADIUS): number {
  const half = -dot(from, direction), off = dot(from, from) - half * half;
  const chord = Math.sqrt(radius * radius - off);
  if (half - chord > 0) return half - chord;
  return half + chord > 0 ? half + chord : NaN;
}

/** Where the field line ends. */
export interface Footprint {
  /** +1: along B, −1: against B, 0: neither or both. */
  readonly polarity: 1 | -1 | 0;
  /** On the sphere, km; null where polarity is 0. */
  readonly point: Vector | null;
}

/** Follows ±B from the spacecraft: exactly one of the two must meet the Moon. NaN of either input: polarity 0. */
export function traceField(from: Vector, field: Vector): Footprint {
  const b = unit(field);
  const ahead = distanceToMoon(from, b), behind = distanceToMoon(from, [-b[0], -b[1], -b[2]]);
  if (Number.isNaN(ahead) === Number.isNaN(behind)) return { polarity: 0, point: null };
  return Number.isNaN(behind)
    ? { polarity: 1, point: along(from, ahead, b) }
    : { polarity: -1, point: along(from, -behind, b) };
}

/** Whether the Moon does not stand between a place outside it and the Sun (unit vector). */
export function inSunlight(place: Vector, sun: Vector): boolean {
  return Number.isNaN(distanceToMoon(place, sun));
}

/**
 * Axes of the despun spacecraft frame (SCD): Z the spin axis, X the direction of the Sun projected perpendicular to it,
 * Y = Z × X. NaN where the Sun is on the axis.
 */
export function spacecraftAxes(spin: Vector, sun: Vector): readonly [Vector, Vector, Vector] {
  const z = unit(spin);
  const x = unit(along(sun, -dot(sun, z), z));
  return [x, cross(z, x), z];
}

/** Components in axes → Moon-fixed vector. */
export function fromAxes(v: Vector, [x, y, z]: readonly [Vector, Vector, Vector]): Vector {
  return along(along(along([0, 0, 0], v[0], x), v[1], y), v[2], z);
}

/** Latitude and longitude, deg; longitude in −180 … 180. */
export function latLon(p: Vector): readonly [lat: number, lon: number] {
  return [
    Math.asin(Math.max(-1, Math.min(1, p[2] / Math.hypot(...p)))) * 180 / Math.PI,
    Math.atan2(p[1], p[0]) * 180 / Math.PI,
  ];
}
