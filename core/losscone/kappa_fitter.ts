/**
 * Kappa distributions of the incident electrons of batches of sweeps, on one target. Counts of the cells that look into
 * the incident hemisphere (polarity respected), Poisson with a systematic error; each sweep has its own energies; rows
 * without counts are upper limits; the density is fitted, not estimated.
 */
import { kappaFit, kappaPrepare, MOST_ROWS } from "../kernels/kappa.ts";
import { type DeviceArray, place, type Target } from "../target.ts";
import { countFactors, solidAngles } from "./cells.ts";
import type { KappaOptions } from "./kappa_options.ts";
import { type KappaResult, kappaResult } from "./kappa_result.ts";
import type { SweepBatch } from "./sweep.ts";

export interface KappaFitter {
  /**
   * One result per sweep, in the order of the batch.
   *
   * @param potential - of the spacecraft, V, one per sweep or one per row; energies are those at infinity, E − V. Default 0,
   *   as in the reference, whatever `uSpacecraft` says; NaN: no fit, or not this row
   * @throws RangeError where the target's memory does not suffice for the batch
   */
  fit(batch: SweepBatch, potential?: Float64Array): KappaResult[];
}

/** A fitter for batches with the same options; it leaves nothing on the target between batches. */
export function makeKappaFitter(target: Target, options: KappaOptions): KappaFitter {
  return {
    fit(batch, potential = new Float64Array(batch.count)) {
      if (batch.count === 0) return [];
      const mark = target.mark();
      const results = placeCounts(target, batch, options).fit(potential);
      target.release(mark);
      return results;
    },
  };
}

/** A batch on the target, ready to be fitted at one potential and then another. */
export interface PlacedCounts {
  /** @param potential - V, one per sweep or one per row */
  fit(potential: Float64Array): KappaResult[];
}

/** Counts and exposures of a batch on the target; all that it allocates stays until the caller releases it. */
export function placeCounts(target: Target, batch: SweepBatch, options: KappaOptions): PlacedCounts {
  const { count: B, rows: R, cells: C } = batch;
  if (R > MOST_ROWS) throw new RangeError(`a kappa fit takes sweeps of at most ${MOST_ROWS} rows, got ${R}`);
  const each = (n: number) => target.allocate("f64", B * n);
  const energy = place(target, batch.energy), potential = each(R);
  const omni = each(R), counts = each(R), weight = each(R), incident = each(R), exposure = each(R);
  const density = each(1);
  const cells = {
    phi: place(target, batch.phi),
    flux: place(target, batch.flux),
    field: place(target, batch.field),
    polarity: place(target, batch.polarity),
    theta: place(target, batch.theta),
    solid: place(target, solidAngles(batch.theta)),
    factor: place(target, countFactors(batch.theta)),
  };
  const settings = place(
    target,
    Float64Array.of(...options.kappa, ...options.lgTheta, options.systematic),
  );
  const solution = each(3), covariance = each(6), deviance = each(1), state = target.allocate("i32", 3 * B);
  const read = (array: DeviceArray) => target.download(array) as Float64Array;
  return {
    fit(volts) {
      target.upload(potential, volts.length === B * R ? volts : ofRows(volts, R));
      const prepared = { omni, counts, weight, incident, exposure, density };
      target.run(kappaPrepare, { B, R, C }, { energy, potential, ...cells, ...prepared });
      target.run(kappaFit, { B, R, RESPONSE: options.response ? 1 : 0 }, {
        ...{ energy, potential, incident, exposure, settings },
        ...{ solution, covariance, deviance, state },
      });
      const [x, v, d, s, n] = [
        read(solution),
        read(covariance),
        read(deviance),
        target.download(state),
        read(density),
      ];
      const exposed = read(exposure);
      return Array.from({ length: B }, (_, b) =>
        kappaResult(
          x.subarray(3 * b, 3 * b + 3),
          [...v.subarray(6 * b, 6 * b + 6)],
          d[b],
          s.subarray(3 * b, 3 * b + 3),
          n[b],
          exposed.subarray(b * R, (b + 1) * R).some((e) => e > 0),
        ));
    },
  };
}

/** One value per sweep, repeated over its rows. */
function ofRows(values: Float64Array, R: number): Float64Array {
  const out = new Float64Array(values.length * R);
  values.forEach((v, b) => out.fill(v, b * R, (b + 1) * R));
  return out;
}
