/** A patch of the reference's extraction as inputs of our kernels. */
import type { Dims } from "../../core/kernels/kernel.ts";
import type { HostArray } from "../../core/target.ts";
import { halfBandwidth } from "../../core/extraction/overlap.ts";
import { type Oracle, oracle } from "./oracle.ts";

export interface PatchOracle {
  readonly member: Oracle;
  /** Without H. */
  readonly dims: Dims;
  readonly inputs: Readonly<Record<string, HostArray>>;
  readonly unknowns: {
    readonly halfBandwidth: number;
    /** Index in the reference's order, fibre by fibre, of an unknown in ours. */
    fibreMajor(m: number): number;
    /** A vector of the reference's in our order. */
    fromFibreMajor(values: Float64Array): Float64Array;
  };
}

export function patchOracle(path: string): PatchOracle {
  const member = oracle(path);
  const [F, L] = [member("nspec_padded")[0]!, member("nwave_padded")[0]!];
  const [NX, NY] = [member("nx")[0]!, member("ny")[0]!];
  const spots = { SX: 17, SY: 11 };
  const xc = Int32Array.from(member("xc")), yc = Int32Array.from(member("yc"));
  const fibreMajor = (m: number) => (m % F) * L + Math.floor(m / F);
  return {
    member,
    dims: { B: 1, F, L, NF: F, NL: L, ...spots, NX, NY },
    inputs: {
      spots: member("spots"),
      xc,
      yc,
      place: Int32Array.of(0, 0, member("xmin")[0]!, member("ymin")[0]!, NX, NY),
      pixels: member("pix"),
      weights: member("ivar"),
    },
    unknowns: {
      halfBandwidth: halfBandwidth({ xc, yc, fibres: F, bins: L, columns: spots.SX, rows: spots.SY }),
      fibreMajor,
      fromFibreMajor: (values) => Float64Array.from({ length: F * L }, (_, m) => values[fibreMajor(m)]!),
    },
  };
}
