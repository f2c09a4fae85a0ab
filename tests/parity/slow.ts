/** What files of slow references share: making one, limits, batch rows. */
import type { HostArray } from "../../core/target.ts";
import type { ParityCase } from "../../gpu/parity/case.ts";
import type { Limit, SlowReference } from "../../gpu/parity/reference.ts";

export type Values = Record<string, number[] | HostArray>;
export type Sizes = Readonly<Record<string, number>>;
export type Inputs = Readonly<Record<string, HostArray>>;

/** A reference for the cases without NaN that `wanted` admits. */
export function reference(
  limits: Readonly<Record<string, Limit>>,
  answer: (dims: Sizes, inputs: Inputs, one: ParityCase) => Values,
  wanted: (dims: Sizes, label: string) => boolean = () => true,
): SlowReference {
  return {
    limits,
    outputs(one) {
      if (one.poisoned || !wanted(one.dims, one.label)) return null;
      const values = Object.entries(answer(one.dims, one.inputs, one));
      return Object.fromEntries(
        values.map(([name, v]) => [name, Array.isArray(v) ? Float64Array.from(v) : v]),
      );
    },
  };
}

export const EXACT: Limit = { relative: 0 };

export const within = (relative: number, reason?: string): Limit =>
  reason ? { relative, reason } : { relative };

/** Batch row b of an array whose rows have n elements. */
export const part = (a: HostArray, n: number, b: number): number[] =>
  Array.from(a.subarray(b * n, (b + 1) * n));

/** f of 0..n−1, its rows end to end. */
export const each = (n: number, f: (b: number) => ArrayLike<number>): number[] =>
  Array.from({ length: n }, (_, b) => Array.from(f(b))).flat();
