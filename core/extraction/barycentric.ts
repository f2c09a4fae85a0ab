/** Barycentric correction of an exposure: what turns wavelengths seen at the telescope into those at the barycentre. */
import { BaryState, Body, MakeTime, Observer, ObserverState } from "astronomy-engine";
import type { Header } from "../io/fits_header.ts";
import { InputError } from "../io/input_error.ts";

/** The Mayall telescope on Kitt Peak: degrees north, degrees east, metres. */
const KITT_PEAK = { latitude: 31.96403, longitude: -111.59989, height: 2097 };
/** Speed of light, AU a day. */
const LIGHT = 173.1446326846693;
/** Modified Julian date of 2000-01-01T12:00:00. */
const J2000 = 51544.5;

/** Keywords of a pointing, degrees, in the order in which they are looked for. */
const POINTINGS = [["TARGTRA", "TARGTDEC"], ["SKYRA", "SKYDEC"], ["TELRA", "TELDEC"], ["RA", "DEC"]] as const;

/**
 * λ at the barycentre of the solar system over λ at the telescope, 1 + v/c with v the velocity of the telescope towards
 * the target, in the middle of the exposure. One factor for the whole field.
 *
 * @throws InputError where the header lacks the time (MJD-OBS or MJD; EXPTIME) or the pointing
 */
export function barycentricFactor(header: Header): number {
  const start = header.number("MJD-OBS") ?? header.number("MJD");
  const exposure = header.number("EXPTIME");
  if (start === undefined || exposure === undefined) {
    const missing = start === undefined ? "MJD-OBS" : "EXPTIME";
    throw new InputError(
      `${header.where}: has no keyword ${missing}, which --barycentric-correction needs; leave that option out`,
    );
  }
  for (const [ra, dec] of POINTINGS) {
    const right = header.number(ra), declination = header.number(dec);
    if (right !== undefined && declination !== undefined) {
      return factorAt(start + exposure / 2 / 86400, right, declination);
    }
  }
  throw new InputError(
    `${header.where}: has no pointing (${POINTINGS.map((pair) => pair.join("/")).join(", ")}), which ` +
      "--barycentric-correction needs; leave that option out",
  );
}

/**
 * The same for a time and a direction.
 *
 * @param mjd - modified Julian date, UTC
 * @param ra - right ascension, ICRS, degrees
 * @param dec - declination, ICRS, degrees
 */
export function factorAt(mjd: number, ra: number, dec: number): number {
  const time = MakeTime(mjd - J2000);
  const earth = BaryState(Body.Earth, time);
  const { latitude, longitude, height } = KITT_PEAK;
  const site = ObserverState(time, new Observer(latitude, longitude, height), false);
  const [a, d] = [ra, dec].map((angle) => angle * Math.PI / 180) as [number, number];
  const towards = (earth.vx + site.vx) * Math.cos(d) * Math.cos(a) +
    (earth.vy + site.vy) * Math.cos(d) * Math.sin(a) + (earth.vz + site.vz) * Math.sin(d);
  return 1 + towards / LIGHT;
}
