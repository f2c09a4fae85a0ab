/** Batches of sweeps for tests: cut, joined, on other energies, from the reference set. */
import { kappaFlux } from "../../core/losscone/kappa_distribution.ts";
import { simulateSweeps, type SweepTruth } from "../../core/losscone/simulate.ts";
import type { SweepBatch } from "../../core/losscone/sweep.ts";
import { oracle } from "../kernels/oracle.ts";

const PARTS = ["energy", "phi", "flux", "field", "polarity", "uSpacecraft"] as const;

/** Sweeps of a batch by their places in it. */
export function pick(batch: SweepBatch, places: readonly number[]): SweepBatch {
  const cut = (values: Float64Array) => {
    const n = values.length / batch.count;
    return Float64Array.from(places.flatMap((s) => [...values.subarray(s * n, (s + 1) * n)]));
  };
  return {
    ...batch,
    count: places.length,
    ...Object.fromEntries(PARTS.map((name) => [name, cut(batch[name])])) as Pick<
      SweepBatch,
      typeof PARTS[number]
    >,
  };
}

/** A copy whose arrays may be written to. */
export function copy(batch: SweepBatch): SweepBatch {
  return pick(batch, Array.from({ length: batch.count }, (_, s) => s));
}

/** Sweeps without a loss cone and without noise beyond whole counts, of the given truths, on any energies. */
export function isotropic(
  truths: readonly Pick<SweepTruth, "density" | "kappa" | "theta">[],
  factor: number[],
): SweepBatch {
  const { batch } = simulateSweeps({ sweeps: truths.length, seed: 4, lossCone: false });
  const cells = batch.cells, flux = new Float64Array(batch.flux.length);
  const energy = batch.energy.map((e, i) => e * factor[Math.floor(i / batch.rows)]!);
  energy.forEach((e, i) => {
    const j = kappaFlux(truths[Math.floor(i / batch.rows)]!, e) / (4 * Math.PI);
    flux.fill(j, i * cells, (i + 1) * cells);
  });
  return { ...batch, energy, flux };
}

/** The reference's isotropic spectra with their truth; they have no polarity, and need none. */
export function kappaCase(path: string, polarity: number) {
  const member = oracle(path), n = member("true_kappa").length, rows = 15, cells = 88;
  const [phi, mag, energy] = ["phi", "mag", "energy"].map(member) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const batch: SweepBatch = {
    ...{ count: n, rows, cells, theta: member("theta"), flux: member("flux") },
    energy: Float64Array.from({ length: n * rows }, (_, i) => energy[i % rows]!),
    phi: Float64Array.from({ length: n * rows * cells }, (_, i) => phi[i % cells]!),
    field: Float64Array.from(
      { length: n * rows * 3 },
      (_, i) => mag[3 * Math.floor(i / (3 * rows)) + i % 3]!,
    ),
    polarity: new Float64Array(n * rows).fill(polarity),
    uSpacecraft: new Float64Array(n * rows),
  };
  return { batch, member };
}

/** The middle value of an odd number, the upper one of the two of an even number. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
