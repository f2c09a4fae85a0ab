/** Where each row of a sweep was measured, where its field line meets the Moon, and what of it is in sunlight. */
import { type Ephemeris, stateAt } from "./ephemeris.ts";
import { fromAxes, inSunlight, latLon, spacecraftAxes, traceField } from "./field_line.ts";
import type { SunTrack } from "./moon_frame.ts";
import { dot, unit, type Vector } from "./vectors.ts";

/** Of one row; angles in degrees, NaN where unknown. */
export interface RowPlace {
  readonly latitude: number;
  readonly longitude: number;
  /** Of the footprint; NaN where the field line meets no Moon. */
  readonly footLatitude: number;
  readonly footLongitude: number;
  /** +1, −1, 0 as traced; NaN where the ephemeris does not cover the time. */
  readonly polarity: number;
  /** Null where unknown; of the footprint also where there is none. */
  readonly sunlit: boolean | null;
  readonly footSunlit: boolean | null;
}

/** A row of which nothing is known. */
export const NOWHERE: RowPlace = {
  latitude: NaN,
  longitude: NaN,
  footLatitude: NaN,
  footLongitude: NaN,
  polarity: NaN,
  sunlit: null,
  footSunlit: null,
};

/** @param field - in the despun spacecraft frame (SCD), nT */
export function placeRow(ephemeris: Ephemeris, sun: SunTrack, time: number, field: Vector): RowPlace {
  const state = stateAt(ephemeris, time);
  if (state === null) return NOWHERE;
  const toSun = sun.at(time);
  const { position, spin } = state;
  const [latitude, longitude] = latLon(position);
  const { polarity, point } = traceField(position, fromAxes(field, spacecraftAxes(spin, toSun)));
  const [footLatitude, footLongitude] = point === null ? [NaN, NaN] : latLon(point);
  return {
    latitude,
    longitude,
    footLatitude,
    footLongitude,
    polarity,
    sunlit: inSunlight(position, toSun),
    footSunlit: point === null ? null : dot(unit(point), toSun) > 0,
  };
}
