/** A batch of sweeps on a target, from flux to the tables that χ² is looked up in. */
import { lossconeNormalise, lossconePitch, lossconeTables } from "../kernels/losscone_prepare.ts";
import { type DeviceArray, place, type Target } from "../target.ts";
import type { LossconeOptions } from "./options.ts";
import type { SweepBatch } from "./sweep.ts";

/** What lies on the target. */
export interface PreparedSweeps {
  readonly dims: { readonly B: number; readonly R: number; readonly P: number; readonly METHOD: number };
  /** Valid cells, shape (B). */
  readonly valid: DeviceArray;
  readonly pitch: DeviceArray;
  readonly norm: DeviceArray;
  readonly mask: DeviceArray;
  /** Arguments of the kernels that search: energy, potential, sine, beam, y, prefix, cells, constants. */
  readonly tables: Readonly<Record<string, DeviceArray>>;
}

/** Constants of a fit in the order that the kernels take them. */
export function lossconeConstants(options: LossconeOptions, rise: number): Float64Array {
  const { beamWidth, pitchSigma, background, potential, fieldRatio, beamAmplitude } = options;
  return Float64Array.of(
    beamWidth,
    pitchSigma,
    background,
    ...potential,
    ...fieldRatio,
    ...beamAmplitude,
    rise,
  );
}

/** Uploads a batch and prepares it; throws RangeError where an array of the batch has not its shape. */
export function prepareSweeps(
  target: Target,
  batch: SweepBatch,
  options: LossconeOptions,
  rise: number,
): PreparedSweeps {
  const { count: B, rows: R, cells: P } = batch;
  const shapes = {
    energy: B * R,
    theta: P,
    phi: B * R * P,
    flux: B * R * P,
    field: B * R * 3,
    polarity: B * R,
    uSpacecraft: B * R,
  };
  for (const [name, length] of Object.entries(shapes) as [keyof typeof shapes, number][]) {
    if (batch[name].length !== length) {
      throw new RangeError(`sweeps: ${name} must have ${length} elements, got ${batch[name].length}`);
    }
  }
  const METHOD = options.method === "halekas" ? 0 : 1;
  const FILL = options.fill === "missing" ? 0 : 1;
  const cells = (dtype: "f64" | "u8" = "f64", per = P) => target.allocate(dtype, B * R * per);
  const energy = place(target, batch.energy), potential = place(target, batch.uSpacecraft);
  const constants = place(target, lossconeConstants(options, rise));
  const pitch = cells(), norm = cells(), mask = cells("u8"), valid = target.allocate("i32", B);
  const tables = {
    sine: cells(),
    beam: cells(),
    y: cells(),
    prefix: cells("f64", P + 1),
    cells: target.allocate("i32", B * R),
  };
  const mark = target.mark();
  const sky = {
    theta: place(target, batch.theta),
    phi: place(target, batch.phi),
    field: place(target, batch.field),
    polarity: place(target, batch.polarity),
  };
  target.run(lossconePitch, { B, R, P, FILL }, { ...sky, pitch });
  const modes = {
    RATIO2: options.normalisation === "ratio" ? 0 : 1,
    HIGHEST: options.incident === "mean" ? 0 : 1,
    FILL,
  };
  const flux = place(target, batch.flux);
  target.run(lossconeNormalise, { B, R, P, METHOD, ...modes }, {
    energy,
    potential,
    flux,
    pitch,
    norm,
    mask,
    valid,
  });
  target.release(mark);
  target.run(lossconeTables, { B, R, P, METHOD }, { pitch, norm, mask, constants, ...tables });
  return {
    dims: { B, R, P, METHOD },
    valid,
    pitch,
    norm,
    mask,
    tables: { energy, potential, ...tables, constants },
  };
}
