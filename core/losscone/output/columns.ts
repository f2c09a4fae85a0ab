/**
 * The arrays of the output, by name: those of the reference (`rows_*`, `spec_*`, spec §10.2), which downstream programs
 * read, and our own, all of them `spec_*`.
 */
import { environmentClass } from "../environment.ts";
import type { KappaResult } from "../kappa_result.ts";
import type { LossconeOptions } from "../options.ts";
import type { SweepRecord } from "../record.ts";
import type { SweepResult } from "../result.ts";

/** How a column is stored. */
export type ColumnType = "float64" | "int64" | "int8" | "bool" | "string";

interface ColumnBase {
  readonly name: string;
  readonly type: ColumnType;
  /** Characters of strings; absent = {@link STRING_WIDTH}. */
  readonly width?: number;
  /** For people, in the FITS table. */
  readonly unit?: string;
  readonly comment?: string;
}

/** One value per sweep. */
export interface SweepColumn extends ColumnBase {
  of(record: SweepRecord): number | string | boolean;
}

/** One value per row of the file. */
export interface RowColumn extends ColumnBase {
  of(record: SweepRecord, row: number): number | string | boolean;
}

/** Characters of the reference's strings. */
export const STRING_WIDTH = 64;
/** Rise of the reduced χ² and limit of the width that the Lillis quality keys speak of. */
export const U_WIDTH = { delta: 0.001, most: 200 } as const;

type Fit = Extract<keyof SweepResult, "u" | "bsOverBm" | "beamAmp" | "chi2" | "uWidth">;
const fitted = ({ fit }: SweepRecord, name: Fit): number => fit?.[name] ?? NaN;
type Plasma = Exclude<keyof KappaResult, "covariance" | "reason" | "converged" | "atBound">;
const plasma = ({ kappa }: SweepRecord, name: Plasma): number => kappa?.[name] ?? NaN;
/** The value of the first row that has one. */
const first = (values: readonly number[]): number => values.find((value) => !Number.isNaN(value)) ?? NaN;
const environment = (record: SweepRecord, row: number) =>
  environmentClass(record.places[row]?.footSunlit ?? null, record.temperature);
const whole = (value: number): number => Number.isNaN(value) ? 0 : value;

/** Whether the fit of a sweep gives a potential. */
export const hasFit = (record: SweepRecord): boolean => Number.isFinite(fitted(record, "u"));
const narrow = (record: SweepRecord) => fitted(record, "uWidth") <= U_WIDTH.most;

/** The reference's columns per row. */
export const ROW_COLUMNS: readonly RowColumn[] = [
  { name: "rows_spec_no", type: "int64", of: (record) => record.specNo },
  { name: "rows_utc", type: "string", of: (record, row) => record.utc[row] },
  { name: "rows_time", type: "string", of: (record, row) => record.time[row] },
  { name: "rows_spacecraft_latitude", type: "float64", of: (record, row) => record.places[row].latitude },
  { name: "rows_spacecraft_longitude", type: "float64", of: (record, row) => record.places[row].longitude },
  { name: "rows_projection_latitude", type: "float64", of: (record, row) => record.places[row].footLatitude },
  {
    name: "rows_projection_longitude",
    type: "float64",
    of: (record, row) => record.places[row].footLongitude,
  },
  { name: "rows_spacecraft_potential", type: "float64", of: (record, row) => record.potential.volts[row] },
  { name: "rows_projected_potential", type: "float64", of: (record) => fitted(record, "u") },
  { name: "rows_bs_over_bm", type: "float64", of: (record) => fitted(record, "bsOverBm") },
  { name: "rows_beam_amp", type: "float64", of: (record) => fitted(record, "beamAmp") },
  { name: "rows_fit_chi2", type: "float64", of: (record) => fitted(record, "chi2") },
  { name: "rows_electron_temperature", type: "float64", of: (record) => record.temperature },
  { name: "rows_electron_density", type: "float64", of: (record) => plasma(record, "density") },
  { name: "rows_kappa_value", type: "float64", of: (record) => plasma(record, "kappa") },
  { name: "rows_spacecraft_in_sun", type: "bool", of: (record, row) => record.places[row].sunlit === true },
  {
    name: "rows_projection_in_sun",
    type: "bool",
    of: (record, row) => record.places[row].footSunlit === true,
  },
  { name: "rows_projection_polarity", type: "int8", of: (record, row) => whole(record.polarity[row]) },
  { name: "rows_environment_class", type: "int8", of: environment },
];

const IDENTITY: readonly SweepColumn[] = [
  { name: "spec_spec_no", type: "int64", comment: "number of the sweep", of: (record) => record.specNo },
  { name: "spec_time_start", type: "string", of: (record) => record.utc[0] ?? "" },
  { name: "spec_time_end", type: "string", of: (record) => record.utc.at(-1) ?? "" },
  { name: "spec_row_count", type: "int64", comment: "15 unless short", of: (record) => record.utc.length },
];

const PLASMA: readonly SweepColumn[] = [
  {
    name: "spec_electron_temperature",
    type: "float64",
    unit: "eV",
    comment: "far from the spacecraft",
    of: (record) => record.temperature,
  },
  { name: "spec_electron_density", type: "float64", unit: "m-3", of: (record) => plasma(record, "density") },
  { name: "spec_kappa", type: "float64", of: (record) => plasma(record, "kappa") },
  { name: "spec_theta", type: "float64", unit: "m/s", of: (record) => plasma(record, "theta") },
  {
    name: "spec_electron_temperature_sigma",
    type: "float64",
    unit: "eV",
    of: (record) => plasma(record, "sigmaTemperature"),
  },
  {
    name: "spec_electron_density_sigma",
    type: "float64",
    unit: "m-3",
    of: (record) => plasma(record, "sigmaDensity"),
  },
  { name: "spec_kappa_sigma", type: "float64", of: (record) => plasma(record, "sigmaKappa") },
  { name: "spec_theta_sigma", type: "float64", unit: "m/s", of: (record) => plasma(record, "sigmaTheta") },
  { name: "spec_kappa_chi2", type: "float64", comment: "deviance", of: (record) => plasma(record, "chi2") },
  { name: "spec_kappa_rows", type: "int64", of: (record) => whole(plasma(record, "rows")) },
  {
    name: "spec_density_estimate",
    type: "float64",
    unit: "m-3",
    comment: "sum of J/v dE, as the reference",
    of: (record) => plasma(record, "densityEstimate"),
  },
  { name: "spec_kappa_at_bound", type: "bool", of: ({ kappa }) => kappa?.atBound ?? false },
  { name: "spec_kappa_converged", type: "bool", of: ({ kappa }) => kappa?.converged ?? false },
  { name: "spec_kappa_reason", type: "string", of: ({ kappa }) => kappa?.reason ?? "not asked for" },
];

const POTENTIAL: readonly SweepColumn[] = [
  {
    name: "spec_spacecraft_potential",
    type: "float64",
    unit: "V",
    of: ({ potential }) => first(potential.volts),
  },
  {
    name: "spec_spacecraft_potential_reason",
    type: "string",
    of: ({ potential }) => potential.reason || "given",
  },
];

const FIT: readonly SweepColumn[] = [
  { name: "spec_has_fit", type: "bool", of: hasFit },
  {
    name: "spec_u_surface",
    type: "float64",
    unit: "V",
    comment: "middle of the plateau",
    of: (record) => fitted(record, "u"),
  },
  {
    name: "spec_u_confidence_low",
    type: "float64",
    unit: "V",
    comment: "lower end of the confidence set",
    of: ({ fit }) => fit?.confidence[0]?.[0] ?? NaN,
  },
  {
    name: "spec_u_confidence_high",
    type: "float64",
    unit: "V",
    comment: "upper end of the confidence set",
    of: ({ fit }) => fit?.confidence.at(-1)?.[1] ?? NaN,
  },
  { name: "spec_bs_over_bm", type: "float64", of: (record) => fitted(record, "bsOverBm") },
  { name: "spec_beam_amp", type: "float64", of: (record) => fitted(record, "beamAmp") },
  { name: "spec_fit_chi2", type: "float64", of: (record) => fitted(record, "chi2") },
  { name: "spec_environment_class", type: "int8", of: (record) => environment(record, 0) },
  {
    name: "spec_u_identifiable",
    type: "bool",
    comment: "one interval below 200 V, off the bounds",
    of: ({ fit }) => fit?.identifiable ?? false,
  },
  { name: "spec_valid_cells", type: "int64", of: ({ fit }) => fit?.validCells ?? 0 },
  { name: "spec_search", type: "string", of: ({ fit }) => fit?.search ?? "none" },
  { name: "spec_converged", type: "bool", of: ({ fit }) => fit?.converged ?? false },
];

const EVALUATIONS: SweepColumn = {
  name: "spec_evaluations",
  type: "int64",
  of: ({ fit }) => fit?.evaluations ?? 0,
};

const REASON: SweepColumn = {
  name: "spec_reason",
  type: "string",
  width: 240,
  of: (record) => record.reason,
};

const SUFFIX = "lhs_dchi2red_0p001";
const QUALITY: readonly SweepColumn[] = [
  { name: `spec_u_width_${SUFFIX}`, type: "float64", unit: "V", of: (record) => fitted(record, "uWidth") },
  { name: `spec_u_is_identifiable_${SUFFIX}`, type: "bool", of: narrow },
];

/** Columns per sweep of a loss-cone fit; for Lillis with the reference's width, after an evolution with its evaluations. */
export function fitColumns({ method, search }: LossconeOptions): readonly SweepColumn[] {
  const counted = search === "evolution" ? [EVALUATIONS] : [], quality = method === "lillis" ? QUALITY : [];
  return [...IDENTITY, ...FIT, ...counted, ...quality, ...POTENTIAL, ...PLASMA, REASON];
}

/** Columns per sweep of a kappa fit. */
export function kappaColumns(): readonly SweepColumn[] {
  return [...IDENTITY, ...PLASMA, ...POTENTIAL, REASON];
}

/** Columns per row of a loss-cone fit. */
export function rowColumns(lillis: boolean): readonly RowColumn[] {
  const quality = QUALITY.map((column) => ({ ...column, name: column.name.replace("spec_", "rows_") }));
  return lillis ? [...ROW_COLUMNS, ...quality] : ROW_COLUMNS;
}
