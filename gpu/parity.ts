/**
 * The parity suite: every kernel of the table on two targets, with inputs derived from its row, compared within its
 * tolerance. The reference is the WASM target; a slow reference, where one is given, is a third opinion on both.
 */
import type { Kernel } from "../core/kernels/kernel.ts";
import { KERNELS } from "../core/kernels/table.ts";
import type { Target } from "../core/target.ts";
import { EXTRACTION_BANDS } from "./parity/banded_cases.ts";
import { call, type CaseMaker, generator, type ParityCase } from "./parity/case.ts";
import { compare, firstDifference, NONE, type Worst } from "./parity/compare.ts";
import { FITS } from "./parity/fit_cases.ts";
import { FOURIER_AND_CCF } from "./parity/fourier_cases.ts";
import { INVERSE_ROOTS } from "./parity/inverse_root_cases.ts";
import { KAPPA_AND_CURRENTS } from "./parity/kappa_cases.ts";
import { LINEAR } from "./parity/linear_cases.ts";
import { EVOLUTION_CASES } from "./parity/evolution_cases.ts";
import { LOSSCONE_CASES } from "./parity/losscone_cases.ts";
import { againstReference, type SlowReference } from "./parity/reference.ts";
import { EXTRACTION_SPOTS } from "./parity/spot_cases.ts";
import { SPECTRUM } from "./parity/spectrum_cases.ts";

const MAKERS: ReadonlyMap<string, CaseMaker> = new Map(
  [
    ...LINEAR,
    ...FOURIER_AND_CCF,
    ...SPECTRUM,
    ...FITS,
    ...EXTRACTION_SPOTS,
    ...EXTRACTION_BANDS,
    ...INVERSE_ROOTS,
    ...KAPPA_AND_CURRENTS,
    ...LOSSCONE_CASES,
    ...EVOLUTION_CASES,
  ].map((
    [kernel, maker],
  ) => [kernel.name, maker]),
);

export interface ParityRow {
  readonly name: string;
  readonly cases: number;
  readonly worst: Worst;
  /** Relative and absolute, of the table. */
  readonly tolerance: { readonly relative: number; readonly absolute: number };
  /** Case of the worst difference. */
  readonly label: string;
  readonly ok: boolean;
  /** What went wrong besides: an exception, another answer on repeat, a difference from the slow reference. */
  readonly fault: string | null;
  /** Cases that the slow reference had an answer to, and the worst difference of either target by output. */
  readonly slow: { readonly cases: number; readonly worst: Readonly<Record<string, number>> };
}

export interface ParityOptions {
  readonly seed?: number;
  /** Random cases a kernel, besides the fixed ones. */
  readonly cases?: number;
  /** Slow reference of the kernel, compared with both targets within its own limits. */
  readonly reference?: SlowReference;
}

/** Kernels of the table without cases: the suite is not whole while there are any. */
export function kernelsWithoutCases(): string[] {
  return KERNELS.map((k) => k.name).filter((name) => !MAKERS.has(name));
}

/** All cases of one kernel, the same for the same seed. */
export function parityCases(kernel: Kernel, wasm: Target, options: ParityOptions = {}): Iterable<ParityCase> {
  const maker = MAKERS.get(kernel.name);
  if (maker === undefined) throw new RangeError(`the parity suite has no cases for ${kernel.name}`);
  return maker(generator((options.seed ?? 1) + 7919 * KERNELS.indexOf(kernel)), options.cases ?? 0, wasm);
}

/** Runs the cases of one kernel on both targets. */
export function parityOf(
  kernel: Kernel,
  target: Target,
  wasm: Target,
  options: ParityOptions = {},
): ParityRow {
  const { relative, absolute } = kernel.tolerance;
  let worst = NONE, label = "", fault: string | null = null, cases = 0;
  const slow = { cases: 0, worst: {} as Record<string, number> };
  const within = (w: Worst) => w.relative <= relative || w.absolute <= absolute;
  const take = (found: Worst, name: string) => {
    const worse = within(worst)
      ? !within(found) || found.relative > worst.relative
      : found.relative > worst.relative;
    if (worse) [worst, label] = [found, name];
  };
  for (const one of parityCases(kernel, wasm, options)) {
    cases++;
    try {
      const expected = call(wasm, kernel, one.dims, one.inputs);
      const found = call(target, kernel, one.dims, one.inputs);
      take(compare(kernel, one, found, expected), one.label);
      const repeated = firstDifference(found, call(target, kernel, one.dims, one.inputs));
      if (repeated !== null) fault ??= `${one.label}: another answer on repeat, ${repeated}`;
      const reference = options.reference;
      const outputs = reference?.outputs(one) ?? null;
      if (reference === undefined || outputs === null) continue;
      slow.cases++;
      for (const on of target === wasm ? [expected] : [expected, found]) {
        const name = on === expected ? wasm.name : target.name;
        for (
          const { output, worst, limit, ok } of againstReference(kernel, one, on, outputs, reference.limits)
        ) {
          slow.worst[output] = Math.max(slow.worst[output] ?? 0, worst.relative);
          if (!ok) {
            fault ??=
              `${one.label}: ${name} and the slow reference differ by ${worst.relative} (limit ${limit}), ` +
              worst.where;
          }
        }
      }
    } catch (error) {
      fault ??= `${one.label}: ${(error as Error).message}`;
    }
  }
  return {
    name: kernel.name,
    cases,
    worst,
    tolerance: { relative, absolute },
    label,
    ok: fault === null && within(worst),
    fault,
    slow,
  };
}
