/** A slow reference beside the two targets: a third opinion on every output of a kernel. */
import type { Kernel } from "../../core/kernels/kernel.ts";
import type { HostArray } from "../../core/target.ts";
import type { ParityCase } from "./case.ts";
import { compare, type Worst } from "./compare.ts";

/** Limits looser than this need a reason. */
export const TIGHT = 1e-11;

export interface Limit {
  /** Largest |a−b| / max(|a|, |b|, scale of the output in its batch row). */
  readonly relative: number;
  /** Why it is looser than `TIGHT`. */
  readonly reason?: string;
}

type Outputs = Readonly<Record<string, HostArray>>;

export interface SlowReference {
  /** By output: every output of the kernel has one. */
  readonly limits: Readonly<Record<string, Limit>>;
  /** All outputs of a case, or null where the reference has nothing to say of it. */
  outputs(one: ParityCase): Outputs | null;
}

export interface Difference {
  readonly output: string;
  readonly worst: Worst;
  readonly limit: number;
  readonly ok: boolean;
}

/** What a target found against what the slow reference says, output by output. */
export function againstReference(
  kernel: Kernel,
  one: ParityCase,
  found: Outputs,
  slow: Outputs,
  limits: SlowReference["limits"],
): Difference[] {
  return kernel.args.filter(({ role }) => role === "out" || role === "inout").map(({ name }) => {
    const values = slow[name], limit = limits[name]?.relative;
    if (values === undefined || limit === undefined) {
      throw new TypeError(`${kernel.name}: the slow reference has no ${name}, or no limit for it`);
    }
    if (values.length !== found[name]!.length) {
      throw new RangeError(
        `${kernel.name}: ${found[name]!.length} values of ${name}, slow reference ${values.length}`,
      );
    }
    const worst = compare(kernel, one, { [name]: found[name]! }, { [name]: values });
    return { output: name, worst, limit, ok: worst.relative <= limit };
  });
}
