/** The kernel table: every kernel of the core, by family. */
import type { Kernel } from "./kernel.ts";
import { SPLINE } from "./spline.ts";

export const KERNELS: readonly Kernel[] = [...SPLINE];

/** The kernel of that name; RangeError if the table has none. */
export function kernelNamed(name: string): Kernel {
  const kernel = KERNELS.find((k) => k.name === name);
  if (kernel === undefined) throw new RangeError(`no kernel "${name}" in the table`);
  return kernel;
}
