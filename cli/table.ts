/** The table of answers on the screen. */
import { type StarResult, WARN } from "../core/stellar/result.ts";

/** More stars than this are shown in part. */
const MOST = 40;
const FIRST = 20;

/** Heading and digits after the point of the parameters that we know; others get three significant digits. */
const KNOWN: Readonly<Record<string, { heading: string; digits: number }>> = {
  teff: { heading: "TEFF", digits: 0 },
  logg: { heading: "LOGG", digits: 2 },
  feh: { heading: "FEH", digits: 2 },
  alpha: { heading: "ALPHAFE", digits: 2 },
};

/** Names of the bits that are set, or "". */
export function warnNames(warn: number): string {
  return Object.entries(WARN).filter(([, bit]) => (warn & bit) !== 0).map(([name]) => name).join(" ");
}

/** value±error; "–" where there is none. A minus is a real minus sign, so that columns of numbers line up. */
export function withError(value: number, error: number, digits: number): string {
  if (!Number.isFinite(value)) return "–";
  const shown = value.toFixed(digits).replace("-", "−");
  return Number.isFinite(error) ? `${shown} ±${error.toFixed(digits)}` : shown;
}

/** Lines with columns aligned: to the right, the last to the left. */
export function align(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, [...cell].length));
  return rows.map((row) =>
    row.map((cell, i) => {
      const padding = " ".repeat(widths[i] - [...cell].length);
      return i === row.length - 1 && i > 0 ? cell : padding + cell;
    }).join("  ").trimEnd()
  );
}

/**
 * @param axes - names of the library's parameters, in order; empty for a library without labels
 * @param classes - of its templates, where the library names some
 * @param total - stars fitted, of which `stars` may be the first
 */
export function resultTable(
  stars: readonly StarResult[],
  targetids: readonly bigint[],
  axes: readonly string[],
  total: number = stars.length,
  classes: readonly string[] | null = null,
): string[] {
  const short = total > MOST;
  const shown = stars.slice(0, short ? FIRST : MOST);
  const heading = ["TARGETID", "VRAD km/s"];
  for (const name of axes) heading.push(KNOWN[name]?.heading ?? name.toUpperCase());
  heading.push("VSINI km/s");
  const labelled = axes.length > 0;
  if (!labelled) heading.push("TEMPLATE");
  heading.push("WARN");
  const rows = shown.map((star, i) => [
    String(targetids[i] ?? ""),
    withError(star.vrad, star.vradErr, 2),
    ...axes.map((name, a) =>
      withError(star.params[a] ?? NaN, star.paramErrs[a] ?? NaN, KNOWN[name]?.digits ?? 3)
    ),
    withError(star.vsini, star.vsiniErr, 1),
    ...(labelled ? [] : [templateText(star.template, classes)]),
    warnNames(star.warn),
  ]);
  const lines = align([heading, ...rows]);
  if (short) lines.push(`… and ${total - shown.length} more in the output. ${summary(stars)}`);
  return lines;
}

function templateText(template: number, classes: readonly string[] | null): string {
  if (template < 0) return "–";
  return classes === null ? String(template) : `${classes[template]} #${template}`;
}

/** One sentence about many stars. */
export function summary(stars: readonly StarResult[]): string {
  const good = stars.filter((star) => star.warn === 0);
  const bits = Object.entries(WARN)
    .map(([name, bit]) => [name, stars.filter((star) => (star.warn & bit) !== 0).length] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`);
  const errors = good.map((star) => star.vradErr).filter(Number.isFinite).sort((a, b) => a - b);
  const median = errors.length > 0
    ? `, median velocity error ${errors[errors.length >> 1].toFixed(2)} km/s`
    : "";
  return `${good.length} of ${stars.length} without a warning${median}${
    bits.length > 0 ? `; flagged: ${bits.join(", ")}` : ""
  }.`;
}
