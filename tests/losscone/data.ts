/** Sweeps of the development data as batches. */
import { readNpz } from "../../core/io/npy.ts";
import type { SweepBatch } from "../../core/losscone/sweep.ts";
import { type Oracle, oracle } from "../kernels/oracle.ts";

/** Members of an NPZ file whose first axis is the batch, with the shape of its `flux`. */
export interface SharedSweeps {
  readonly batch: SweepBatch;
  readonly member: Oracle;
  readonly group: Float64Array;
}

/** Sweeps `wanted` (all unless given) of a file like spectra_inputs.npz. */
export function sharedSweeps(path: string, wanted?: readonly number[]): SharedSweeps {
  const member = oracle(path);
  const [total, rows, cells] = readNpz(path).get("flux")!.shape as [number, number, number];
  const list = wanted ?? Array.from({ length: total }, (_, i) => i);
  const pick = (values: Float64Array, per: number) =>
    Float64Array.from(list.flatMap((i) => Array.from(values.subarray(i * per, (i + 1) * per))));
  const each = (values: Float64Array, per: number, times: number) =>
    Float64Array.from(
      list.flatMap((i) =>
        Array.from({ length: times }, () => Array.from(values.subarray(i * per, (i + 1) * per))).flat()
      ),
    );
  const energy = member("energy");
  return {
    member,
    group: pick(member("group"), 1),
    batch: {
      count: list.length,
      rows,
      cells,
      energy: Float64Array.from(list.flatMap(() => Array.from(energy))),
      theta: member("theta"),
      phi: pick(member("phi"), rows * cells),
      flux: pick(member("flux"), rows * cells),
      field: each(member("mag"), 3, rows),
      polarity: each(member("polarity"), 1, rows),
      uSpacecraft: each(member("u_spacecraft"), 1, rows),
    },
  };
}
