/** Columns of RVTAB: the reference's (rvspecfit 26.07), in its order, then ours. */
import { boolColumn, type Column, numberColumn, stringColumn, Table } from "../io/fits_table.ts";
import { Header } from "../io/fits_header.ts";
import type { Axis } from "../templates/library.ts";
import type { OutputPlan } from "./output.ts";
import { redshiftColumns } from "./output_redrock.ts";
import type { StarResult } from "./result.ts";
import { targetidsOf } from "./selection.ts";

const KMS = "km s-1";
const REFERENCE_AXES:
  readonly (readonly [axis: string, column: string, unit: string, value: string, error: string])[] = [
    ["logg", "LOGG", "", "Log of surface gravity", "Log of surface gravity uncertainty"],
    ["teff", "TEFF", "K", "Effective temperature", "Effective temperature uncertainty"],
    ["feh", "FEH", "", "[Fe/H] from template fitting", "[Fe/H] uncertainty from template fitting"],
    [
      "alpha",
      "ALPHAFE",
      "",
      "[alpha/Fe] from template fitting",
      "[alpha/Fe] uncertainty from template fitting",
    ],
  ];
const COPIED = ["FIBER", "REF_ID", "REF_CAT", "TARGET_RA", "TARGET_DEC", "TARGETID", "EXPID"];

/** Name of a parameter's column. */
export function axisColumn(axis: Pick<Axis, "name">): string {
  return REFERENCE_AXES.find(([name]) => name === axis.name)?.[1] ?? axis.name.toUpperCase();
}

/** Names of the arms in columns and HDUs: upper case, a repeated one numbered. */
export function armLabels(plan: OutputPlan): string[] {
  const names = plan.arms.map((arm) => plan.file.arms[arm].arm.toUpperCase());
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before === 0 ? name : `${name}${before + 1}`;
  });
}

/** One row a star. */
export function rvTable(plan: OutputPlan, stars: readonly StarResult[]): Table {
  const { file, library, options } = plan;
  const firsts = stars.map((star) => star.rows[0]);
  const real = (name: string, value: (star: StarResult) => number, comment: string, unit = "") =>
    numberColumn(name, Float64Array.from(stars, value), { comment, unit });
  const long = (name: string, value: (star: StarResult) => number, comment: string) =>
    numberColumn(name, BigInt64Array.from(stars, (star) => BigInt(value(star))), { comment });

  const columns: Column[] = [
    real("VRAD", (star) => star.vrad, "Radial velocity", KMS),
    real("VRAD_ERR", (star) => star.vradErr, "Radial velocity error", KMS),
    real("VRAD_SKEW", (star) => star.vradSkew, "Radial velocity posterior skewness"),
    real("VRAD_KURT", (star) => star.vradKurt, "Radial velocity posterior kurtosis"),
    real("VSINI", (star) => star.vsini, "Stellar rotation velocity", KMS),
  ];
  for (const [axis, name, unit, value, error] of REFERENCE_AXES) {
    const i = library.axes.findIndex((other) => other.name === axis);
    columns.push(real(name, (star) => star.params[i] ?? NaN, value, unit));
    columns.push(real(`${name}_ERR`, (star) => star.paramErrs[i] ?? NaN, error, unit));
  }
  columns.push(
    real("CHISQ_TOT", (star) => total(star.chisq), "Total chi-square for all arms"),
    real(
      "CHISQ_C_TOT",
      (star) => total(star.chisqContinuum),
      "Total chi-square for all arms for polynomial only fit",
    ),
    long("NPIX_TOT", (star) => star.npix, "Total number of unmasked pixels fitted"),
  );
  const labels = armLabels(plan);
  labels.forEach((arm, i) => {
    columns.push(
      real(`CHISQ_${arm}`, (star) => star.chisq[i], `Chi-square in the ${arm} arm`),
      real(
        `CHISQ_C_${arm}`,
        (star) => star.chisqContinuum[i],
        `Chi-square in the ${arm} arm after fitting continuum only`,
      ),
    );
  });
  columns.push(
    real("VRAD_CCF", (star) => star.vradCcf, "Initial velocity from cross-correlation", KMS),
    long("RVS_WARN", (star) => star.warn, "RVSpecFit warning flag"),
  );
  const copied = file.fibermap.select(COPIED).take(firsts);
  columns.push(
    ...copied.columns.filter((column) => column.kind !== "variable").map((column) => ({
      ...column,
      comment: column.name.toUpperCase() === "TARGETID" ? "DESI targetid" : column.comment,
    })),
  );
  labels.forEach((arm, i) => {
    const sn = Float32Array.from(stars, (star) => star.sn[i]);
    columns.push(numberColumn(`SN_${arm}`, sn, { comment: `Median S/N in the ${arm} arm` }));
  });
  columns.push(
    boolColumn("SUCCESS", stars.map((star) => star.warn === 0), { comment: "Did we succeed or fail" }),
  );
  if (plan.redshifts !== null) {
    columns.push(...redshiftColumns(plan.redshifts, firsts, targetidsOf(file, "the redshift file")));
  }

  const size = 2 + library.axes.length;
  columns.push(long("ROW", (star) => star.rows[0], "Row of the input, from 0"));
  if (options.jointByTargetid) {
    columns.push(long("NROWS", (star) => star.rows.length, "Rows fitted together"));
  }
  columns.push(
    real(
      "VRAD_ERR_MARG",
      (star) => star.vradErrMarginal,
      "Radial velocity error, other parameters free",
      KMS,
    ),
    real("VSINI_ERR", (star) => star.vsiniErr, "Stellar rotation velocity uncertainty", KMS),
    numberColumn("COVAR", Float64Array.from(stars.flatMap((star) => star.covariance)), {
      shape: [size, size],
      comment: "Covariance, order in COVPARn",
    }),
    real("M2LNL", (star) => star.m2lnl, "-2 ln likelihood at the answer"),
    numberColumn("NEVAL", Int32Array.from(stars, (star) => star.evaluations), {
      comment: "Evaluations of likelihood and gradient",
    }),
    stringColumn("REASON", stars.map((star) => star.reason), {
      comment: "Why the optimiser stopped",
      width: 20,
    }),
  );
  const { classes } = library;
  if (library.axes.length === 0 || classes !== null || options.rvOnly) {
    columns.push(
      numberColumn("TEMPLATE", Int32Array.from(stars, (star) => star.template), {
        comment: "Best template, from 0",
      }),
    );
  }
  if (classes !== null) {
    columns.push(
      stringColumn("CLASS", stars.map((star) => classes[star.template] ?? ""), {
        comment: "Class of the template",
      }),
    );
  }
  library.axes.forEach((axis, i) => {
    if (REFERENCE_AXES.some(([name]) => name === axis.name)) return;
    const used = columns.some((column) => column.name === axisColumn(axis));
    const name = used ? `PAR_${axisColumn(axis)}` : axisColumn(axis);
    columns.push(real(name, (star) => star.params[i], `Parameter ${axis.name}`, fitsUnit(axis.unit)));
    columns.push(
      real(`${name}_ERR`, (star) => star.paramErrs[i], `${axis.name} uncertainty`, fitsUnit(axis.unit)),
    );
  });
  return new Table(columns, { name: "RVTAB", header: covarianceOrder(library.axes), rows: stars.length });
}

function covarianceOrder(axes: readonly Axis[]): Header {
  const header = new Header();
  ["VRAD", "VSINI", ...axes.map(axisColumn)].forEach((name, i) => {
    header.set(`COVPAR${i + 1}`, name, i === 0 ? "order of rows and columns of COVAR" : "");
  });
  return header;
}

/** Units that FITS knows; `dex` and the like are left out, as in the reference. */
function fitsUnit(unit: string): string {
  return unit === "dex" ? "" : unit.replace("km/s", KMS);
}

/** Sum over the arms that are there, NaN where none is. */
function total(values: readonly number[]): number {
  const there = values.filter((x) => !Number.isNaN(x));
  return there.length === 0 ? NaN : there.reduce((sum, x) => sum + x, 0);
}
