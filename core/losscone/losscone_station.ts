/** What a worker that fits sweeps does: reads them, places them over the Moon, fits what was asked for. */
import type { Answer } from "../station.ts";
import type { Target } from "../target.ts";
import { makeLossconeFitter } from "./fitter.ts";
import type { Ephemeris } from "./geometry/ephemeris.ts";
import { SunTrack } from "./geometry/moon_frame.ts";
import { NOWHERE, placeRow, type RowPlace } from "./geometry/places.ts";
import { type ReadSweeps, readSweeps } from "./input/prepare.ts";
import type { RawSweeps } from "./input/source.ts";
import { parseUtc } from "./input/utc.ts";
import { makeKappaFitter } from "./kappa_fitter.ts";
import type { KappaOptions } from "./kappa_options.ts";
import type { KappaResult } from "./kappa_result.ts";
import type { LossconeOptions } from "./options.ts";
import type { SweepRecord } from "./record.ts";
import type { SweepResult } from "./result.ts";
import { makeSpacecraftPotentialFitter, type SpacecraftPotential } from "./spacecraft_potential.ts";
import { SWEEP_CELLS, SWEEP_ROWS, type SweepBatch } from "./sweep.ts";

/** What is wanted of sweeps. */
export type Wanted = "losscone" | "kappa";

/** Potential of the spacecraft: that of the input, one for all (V), or from the electrons. */
export type PotentialChoice =
  | { readonly kind: "input" }
  | { readonly kind: "constant"; readonly volts: number }
  | { readonly kind: "fit" };

export interface LossconeJob {
  readonly wanted: Wanted;
  readonly options: LossconeOptions;
  readonly kappa: KappaOptions;
  readonly potential: PotentialChoice;
  /** Elevation of the cells, deg, shape (88). */
  readonly theta: Float64Array;
  /** For all rows; null: that of the input, or traced along the field. */
  readonly polarity: 1 | -1 | null;
  readonly ephemeris: Ephemeris | null;
}

/** Records in the order of the batch. */
export type LossconeAnswer = readonly SweepRecord[];

const R = SWEEP_ROWS, P = SWEEP_CELLS;

/** Prepares for a job. */
export function openLosscone(target: Target, job: LossconeJob): Answer<RawSweeps, LossconeAnswer> {
  const losscone = makeLossconeFitter(target, job.options), kappa = makeKappaFitter(target, job.kappa);
  const sun = new SunTrack();
  return (raw) => {
    const { read, places, found, reasonFor } = readyBatch(target, job, raw, sun);
    const { batch } = read;
    const kappas = found?.map((one) => one.kappa) ??
      (job.wanted === "kappa" ? kappa.fit(batch, batch.uSpacecraft) : null);
    const answers = job.wanted === "losscone" ? losscone.fit(batch) : null;
    const result = raw.heads.map((_, i): SweepRecord => {
      const faulty = read.faults[i] !== null;
      const fit = faulty ? null : answers?.[i] ?? null, kappa = faulty ? null : kappas?.[i] ?? null;
      const potential = found?.[i] ?? null;
      return {
        ...unfitted(raw, read, i, places[i]),
        potential: {
          volts: rowsOf(batch.uSpacecraft, i, places[i].length),
          reason: potential?.reason ?? "",
        },
        kappa,
        temperature: potential?.temperature ?? kappa?.temperature ?? NaN,
        fit,
        reason: reasonFor(i, fit, kappa),
      };
    });
    return { result, transfer: [] };
  };
}

/** A batch with places, polarities and potentials, ready for the loss-cone fit. */
export interface ReadyBatch {
  readonly read: ReadSweeps;
  /** Of every row of the files, by sweep. */
  readonly places: readonly (readonly RowPlace[])[];
  /** Fits of the spacecraft potential; null where it was not asked for. */
  readonly found: readonly SpacecraftPotential[] | null;
  /** Why a sweep has the answer it has. */
  reasonFor(sweep: number, fit: SweepResult | null, kappa?: KappaResult | null): string;
}

/** Reads what was posted and adds what the job says of it. */
export function readyBatch(
  target: Target,
  job: LossconeJob,
  raw: RawSweeps,
  sun = new SunTrack(),
): ReadyBatch {
  const read = readSweeps(raw, job.theta, job.options.fill), { batch } = read;
  const places = placeSweeps(read, job, sun);
  const found = job.potential.kind === "fit"
    ? makeSpacecraftPotentialFitter(target, job.kappa).fit(batch, sunlitSweeps(read, places))
    : null;
  setPotential(batch, job.potential, found);
  const reasonFor = (i: number, fit: SweepResult | null, kappa: KappaResult | null = null) =>
    reasonOf(read, i, fit, kappa, found?.[i] ?? null);
  return { read, places, found, reasonFor };
}

/** A sweep as it was read, without any answer. */
export function unfitted(
  raw: RawSweeps,
  read: ReadSweeps,
  i: number,
  places: readonly RowPlace[] = read.utc[i].map(() => NOWHERE),
): SweepRecord {
  return {
    specNo: raw.heads[i].specNo,
    path: raw.heads[i].path,
    utc: read.utc[i],
    time: read.time[i],
    places,
    polarity: rowsOf(read.batch.polarity, i, places.length),
    potential: { volts: rowsOf(read.batch.uSpacecraft, i, places.length), reason: "" },
    kappa: null,
    temperature: NaN,
    fit: null,
    reason: read.faults[i] ?? "not fitted",
  };
}

/** Values of the rows of a sweep; NaN beyond those of a whole sweep. */
function rowsOf(values: Float64Array, i: number, rows: number): number[] {
  return Array.from({ length: rows }, (_, r) => r < R ? values[i * R + r] : NaN);
}

/** Places of all rows of the file; sets the polarity of the batch. */
function placeSweeps({ batch, utc }: ReadSweeps, job: LossconeJob, sun: SunTrack): RowPlace[][] {
  const { field, polarity, energy } = batch;
  return utc.map((times, i) => {
    const places = times.map((text, r): RowPlace => {
      if (job.ephemeris === null || r >= R) return NOWHERE;
      const at = i * R + r;
      return placeRow(job.ephemeris, sun, parseUtc(text), [
        field[3 * at],
        field[3 * at + 1],
        field[3 * at + 2],
      ]);
    });
    for (let r = 0; r < Math.min(R, times.length); r++) {
      const at = i * R + r;
      if (Number.isNaN(energy[at])) continue;
      if (job.polarity !== null) polarity[at] = job.polarity;
      else if (job.ephemeris !== null && Number.isNaN(polarity[at])) polarity[at] = places[r].polarity;
    }
    return places;
  });
}

/** Sweeps in sunlight, 1; where nothing tells, they are taken to be. */
function sunlitSweeps(read: ReadSweeps, places: readonly (readonly RowPlace[])[]): Uint8Array {
  return Uint8Array.from(places, (rows, i) => {
    const known = rows.find((place) => place.sunlit !== null)?.sunlit;
    return known ?? read.sunlit[i] !== 0 ? 1 : 0;
  });
}

function setPotential(
  { uSpacecraft, count }: SweepBatch,
  choice: PotentialChoice,
  found: readonly SpacecraftPotential[] | null,
): void {
  if (choice.kind === "constant") uSpacecraft.fill(choice.volts);
  if (found === null) return;
  for (let i = 0; i < count; i++) uSpacecraft.fill(found[i].potential, i * R, (i + 1) * R);
}

/** Why a sweep has the answer it has: what the fit says, or, where it found no cell, what took the cells away. */
function reasonOf(
  { batch, faults }: ReadSweeps,
  i: number,
  fit: SweepResult | null,
  kappa: KappaResult | null,
  potential: SpacecraftPotential | null,
): string {
  if (faults[i] !== null) return faults[i]!;
  if (fit === null) return kappa?.reason ?? "not fitted";
  if (fit.reason !== "no valid cells") return fit.reason;
  const rows = Array.from({ length: R }, (_, r) => i * R + r);
  const withData = rows.filter((at) =>
    !Number.isNaN(batch.energy[at]) &&
    batch.flux.subarray(at * P, (at + 1) * P).some((flux) => Number.isFinite(flux) && flux > 0)
  );
  if (withData.length === 0) return "no data: every cell is NaN, a fill value or 0";
  if (withData.every((at) => Number.isNaN(batch.uSpacecraft[at]))) {
    return `no spacecraft potential${potential === null ? "" : `: ${potential.reason}`}`;
  }
  if (withData.every((at) => Math.abs(batch.polarity[at]) !== 1)) {
    return "no polarity: the field line meets no Moon, or the place is unknown";
  }
  if (withData.every((at) => !(batch.energy[at] >= batch.uSpacecraft[at]))) {
    return "all rows are below the spacecraft potential";
  }
  return fit.reason;
}
