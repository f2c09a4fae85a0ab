/** The kernel table: every kernel of the core, by family. */
import { BANDED } from "./banded.ts";
import { CCF } from "./ccf.ts";
import { CHISQ } from "./chisq.ts";
import { CHOLESKY } from "./cholesky.ts";
import { CURRENTS } from "./currents.ts";
import { FIT } from "./fit.ts";
import { FOURIER } from "./fourier.ts";
import { INTERPOLATE } from "./interpolate.ts";
import { INVERSE_ROOT } from "./inverse_root.ts";
import { KAPPA } from "./kappa.ts";
import type { Kernel } from "./kernel.ts";
import { NORMAL_EQUATIONS } from "./normal_equations.ts";
import { PIXEL_SUMS } from "./pixel_sums.ts";
import { EVOLUTION } from "./evolution.ts";
import { PHILOX } from "./philox.ts";
import { LOSSCONE } from "./losscone.ts";
import { LOSSCONE_PREPARE } from "./losscone_prepare.ts";
import { LOSSCONE_SEARCH } from "./losscone_search.ts";
import { REBIN } from "./rebin.ts";
import { RESOLUTION } from "./resolution.ts";
import { ROOT } from "./root.ts";
import { ROTATION } from "./rotation.ts";
import { SCHUR } from "./schur.ts";
import { SPLINE } from "./spline.ts";
import { SPOTS } from "./spots.ts";

export const KERNELS: readonly Kernel[] = [
  ...CHOLESKY,
  ...FOURIER,
  ...CCF,
  ...REBIN,
  ...RESOLUTION,
  ...ROTATION,
  ...INTERPOLATE,
  ...CHISQ,
  ...FIT,
  ...SPLINE,
  ...KAPPA,
  ...CURRENTS,
  ...SPOTS,
  ...NORMAL_EQUATIONS,
  ...PIXEL_SUMS,
  ...LOSSCONE,
  ...LOSSCONE_PREPARE,
  ...LOSSCONE_SEARCH,
  ...PHILOX,
  ...EVOLUTION,
  ...BANDED,
  ...SCHUR,
  ...ROOT,
  ...INVERSE_ROOT,
];

/** The kernel of that name; RangeError if the table has none. */
export function kernelNamed(name: string): Kernel {
  const kernel = KERNELS.find((k) => k.name === name);
  if (kernel === undefined) throw new RangeError(`no kernel "${name}" in the table`);
  return kernel;
}
