/** The table of sweeps on the screen. */
import { U_WIDTH } from "../core/losscone/output/columns.ts";
import type { SweepRecord } from "../core/losscone/record.ts";
import type { Interval } from "../core/losscone/result.ts";
import { align } from "./table.ts";

/** More sweeps than this are shown in part. */
const MOST = 20;

const shown = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "–";

/** Confidence set of U: intervals with their ends. */
export function setText(set: readonly Interval[], digits = 1): string {
  return set.map(([low, high]) => `${shown(low, digits)} … ${shown(high, digits)}`).join(" ∪ ") || "–";
}

/** Three significant digits, without powers of ten where there is a choice. */
function significant(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value >= 1e5 ? value.toExponential(2).replace("e+", "e") : String(Number(value.toPrecision(3)));
}

/** Answers of a loss-cone fit. @param total - sweeps of the run */
export function sweepTable(records: readonly SweepRecord[], total: number): string[] {
  const part = records.slice(0, MOST);
  const rows = part.map(({ specNo, utc, fit, potential, reason }) => [
    String(specNo),
    (utc[0] ?? "").slice(0, 19) || "–",
    shown(fit?.u ?? NaN, 1),
    setText(fit?.confidence ?? []),
    shown(fit?.bsOverBm ?? NaN, 3),
    shown(fit?.beamAmp ?? NaN, 2),
    significant(fit?.chi2 ?? NaN),
    String(fit?.validCells ?? 0),
    shown(potential.volts[0] ?? NaN, 1),
    reason === "fitted" && fit !== null && !fit.identifiable ? "fitted, U not identifiable" : reason,
  ]);
  const heading = ["SWEEP", "UTC", "U V", "68 % SET V", "BS/BM", "BEAM", "CHI2", "CELLS", "V_SC V", "WHY"];
  return withRest(align([heading, ...rows]), part.length, total);
}

/** Answers of a kappa fit. @param total - sweeps of the run */
export function kappaTable(records: readonly SweepRecord[], total: number): string[] {
  const part = records.slice(0, MOST);
  const rows = part.map(({ specNo, utc, kappa, potential, temperature, reason }) => [
    String(specNo),
    (utc[0] ?? "").slice(0, 19) || "–",
    withSigma(kappa?.kappa, kappa?.sigmaKappa, 2),
    withSigma(temperature, kappa?.sigmaTemperature, 1),
    significant(kappa?.density ?? NaN),
    significant(kappa?.chi2 ?? NaN),
    shown(potential.volts[0] ?? NaN, 1),
    [reason, potential.reason === "found" || potential.reason === "" ? "" : potential.reason]
      .filter((text) => text !== "").join("; "),
  ]);
  const heading = ["SWEEP", "UTC", "KAPPA", "T eV", "N m⁻³", "CHI2", "V_SC V", "WHY"];
  return withRest(align([heading, ...rows]), part.length, total);
}

function withSigma(value = NaN, sigma = NaN, digits: number): string {
  return Number.isFinite(sigma) ? `${shown(value, digits)} ±${sigma.toFixed(digits)}` : shown(value, digits);
}

function withRest(lines: string[], part: number, total: number): string[] {
  return total > part ? [...lines, `… and ${total - part} more in the output.`] : lines;
}

/** One sentence about a run. @param lillis - whose widths are told too */
export function sweepSummary(
  { sweeps, fitted, identifiable, reasons }: {
    readonly sweeps: number;
    readonly fitted: number;
    readonly identifiable: number;
    readonly reasons: Readonly<Record<string, number>>;
  },
  kind: "losscone" | "kappa",
): string {
  const others = Object.entries(reasons).filter(([reason]) => reason !== "fitted").sort(([, a], [, b]) =>
    b - a
  );
  const why = others.slice(0, 6).map(([reason, count]) => `${reason} ${count}`).join("; ");
  const known = kind === "losscone"
    ? `, ${identifiable} of them with U identifiable (set below ${U_WIDTH.most} V)`
    : "";
  return `${fitted} of ${sweeps} sweeps have an answer${known}${why === "" ? "" : `; others: ${why}`}.`;
}
