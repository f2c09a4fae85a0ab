/** The bits of RVS_WARN that follow from the numbers of a fit, by the rules of the reference (rvspecfit 26.07). */
import { type StarResult, WARN } from "./result.ts";

/** The reference's fixed limits, not those of the library: [low, high, margin]. */
const LIMITS: Readonly<Record<string, readonly [number, number, number]>> = {
  teff: [2300, 15000, 10],
  feh: [-4, 1, 0.01],
  logg: [-0.5, 6.5, 0.01],
};

export type WarnedStar = Pick<
  StarResult,
  "vrad" | "vradErr" | "vsini" | "params" | "chisq" | "chisqContinuum"
>;

/**
 * Bits CHISQ, RV, RVERR, PARAM and VSINI. The others are known to the fit alone: BAD_SPECTRUM, BAD_HESSIAN and
 * LIBRARY_EDGE.
 *
 * @param star - velocities in km/s; χ² per arm, NaN where an arm is missing
 * @param axes - names of the parameters, in the order of `params`
 * @param maxVel - the search covers ±maxVel, km/s
 */
export function warningBits(star: WarnedStar, axes: readonly string[], maxVel: number): number {
  let bits = 0;
  if (!(total(star.chisqContinuum) - total(star.chisq) >= 50)) bits |= WARN.CHISQ;
  if (maxVel - Math.abs(star.vrad) < 5) bits |= WARN.RV;
  if (star.vradErr > 100) bits |= WARN.RVERR;
  if (star.vsini > 100) bits |= WARN.VSINI;
  axes.forEach((name, i) => {
    const limits = LIMITS[name];
    if (limits === undefined) return;
    const [low, high, margin] = limits;
    if (star.params[i] < low + margin || star.params[i] > high - margin) bits |= WARN.PARAM;
  });
  return bits;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, x) => Number.isNaN(x) ? sum : sum + x, 0);
}

/** The record of a star that was not fitted: BAD_SPECTRUM and no numbers. */
export function unfittedStar(rows: readonly number[], axes: number, sn: readonly number[]): StarResult {
  const none = (n: number) => new Array<number>(n).fill(NaN);
  return {
    rows,
    vrad: NaN,
    vradErr: NaN,
    vradErrMarginal: NaN,
    vradSkew: NaN,
    vradKurt: NaN,
    vradCcf: NaN,
    vsini: NaN,
    vsiniErr: NaN,
    params: none(axes),
    paramErrs: none(axes),
    covariance: none((2 + axes) ** 2),
    m2lnl: NaN,
    chisq: none(sn.length),
    chisqContinuum: none(sn.length),
    npix: 0,
    sn,
    warn: WARN.BAD_SPECTRUM,
    evaluations: 0,
    reason: "not fitted",
    template: -1,
  };
}
