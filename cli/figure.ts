/** A picture of one star: per arm the data with its ±σ band, the masked pixels and the model; below, residual ÷ σ. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** One arm of a star. Arrays have one value per pixel. */
export interface FigureArm {
  readonly name: string;
  /** Å, increasing. */
  readonly lam: Float64Array;
  readonly flux: ArrayLike<number>;
  /** Inverse variance. */
  readonly ivar: ArrayLike<number>;
  /** 0 = good. */
  readonly mask: ArrayLike<number>;
  /** Null where there was no fit. */
  readonly model: ArrayLike<number> | null;
}

export interface Figure {
  readonly title: string;
  /** Answers of the fit, "" where there is none. */
  readonly subtitle: string;
  readonly arms: readonly FigureArm[];
  /** As in the file, `10**-17 erg/(s cm2 Angstrom)`; "" if unknown. */
  readonly fluxUnit: string;
  readonly medium: "air" | "vacuum";
}

const WIDTH = 1200;
const LEFT = 78;
const RIGHT = 24;
const HEAD = 66;
const DATA_HEIGHT = 220;
const RESIDUAL_HEIGHT = 96;
/** Bottom margin of a panel with a labelled λ axis. */
const FOOT = 44;
const GAP = 6;
const FONT = "DejaVu Sans, Verdana, sans-serif";

const COLOUR = {
  data: "#57606a",
  band: "#d3d8de",
  model: "#d1242f",
  masked: "#1f6feb",
  rule: "#8a9097",
  grid: "#e6e9ec",
};

/** Points drawn across the panel at most; beyond, extremes per column of pixels are kept. */
const MOST_POINTS = 6000;

/** SVG of the figure. */
export function renderFigure(figure: Figure): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
    document: object;
  };
  const parts: string[] = [];
  let top = figure.subtitle === "" ? HEAD - 24 : HEAD;
  for (const arm of figure.arms) {
    parts.push(...drawArm(arm, figure, top, document));
    top += DATA_HEIGHT + GAP + (arm.model === null ? FOOT : RESIDUAL_HEIGHT + FOOT) + GAP;
  }
  const text = (x: number, y: number, size: number, content: string, extra = "") =>
    `<text x="${x}" y="${y}" font-family="${FONT}" font-size="${size}" fill="#1f2328" ${extra}>${
      escape(content)
    }</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}">`,
    `<rect width="${WIDTH}" height="${top}" fill="white"/>`,
    text(LEFT, 26, 18, figure.title, 'font-weight="bold"'),
    text(LEFT, 50, 14, figure.subtitle),
    legend(figure.arms.some((arm) => arm.model !== null)),
    ...parts,
    "</svg>",
  ].join("\n");
}

/** Keys of the picture, in the head, clear of the data. */
function legend(withModel: boolean): string {
  const entries: [string, string, number][] = [
    ["data", `<path d="M0,-4h22" stroke="${COLOUR.data}" stroke-width="1.5"/>`, 72],
    ["±σ", `<rect y="-9" width="22" height="10" fill="${COLOUR.band}"/>`, 58],
    ["masked", `<rect y="-7" width="22" height="6" fill="${COLOUR.masked}"/>`, 92],
  ];
  if (withModel) {
    entries.splice(2, 0, ["model", `<path d="M0,-4h22" stroke="${COLOUR.model}" stroke-width="2"/>`, 84]);
  }
  let x = WIDTH - RIGHT - entries.reduce((sum, [, , width]) => sum + width, 0) + 10;
  return entries.map(([label, mark, width]) => {
    const key =
      `<g transform="translate(${x},26)">${mark}<text x="27" font-family="${FONT}" font-size="13" fill="#1f2328">${label}</text></g>`;
    x += width;
    return key;
  }).join("");
}

/** A pixel as it is drawn. */
interface Point {
  readonly x: number;
  readonly flux: number;
  readonly low: number;
  readonly high: number;
  readonly model: number;
  readonly pull: number;
}

function drawArm(arm: FigureArm, figure: Figure, top: number, document: object): string[] {
  const good = (i: number) => arm.mask[i] === 0 && arm.ivar[i] > 0 && Number.isFinite(arm.flux[i]);
  const points: Point[] = [];
  const masked: { x1: number; x2: number }[] = [];
  const half = (i: number) =>
    0.5 * (arm.lam[Math.min(i + 1, arm.lam.length - 1)] - arm.lam[Math.max(i - 1, 0)]) / 2;
  const levels: number[] = [];
  for (let i = 0; i < arm.lam.length; i++) {
    const x = arm.lam[i], model = arm.model === null ? NaN : arm.model[i];
    if (!good(i)) {
      const span = masked.at(-1);
      if (span !== undefined && i > 0 && !good(i - 1)) span.x2 = x + half(i);
      else masked.push({ x1: x - half(i), x2: x + half(i) });
      points.push({ x, flux: NaN, low: NaN, high: NaN, model, pull: NaN });
      continue;
    }
    const flux = arm.flux[i], sigma = 1 / Math.sqrt(arm.ivar[i]);
    levels.push(flux);
    points.push({ x, flux, low: flux - sigma, high: flux + sigma, model, pull: (flux - model) / sigma });
  }
  const [low, high] = limits(levels, points.map((p) => p.model)), pad = 0.08 * (high - low) || 1;
  const xDomain: [number, number] = [arm.lam[0], arm.lam[arm.lam.length - 1]];
  const yDomain: [number, number] = [low - 1.8 * pad, high + pad];
  const drawn = thin(points);
  const common = {
    document,
    width: WIDTH,
    marginLeft: LEFT,
    marginRight: RIGHT,
    style: { fontSize: "12px", fontFamily: FONT },
  };
  const withModel = arm.model !== null;
  const xLabel = `wavelength, Å (${figure.medium})`;
  const unit = figure.fluxUnit === "" ? "flux" : `flux, ${prettyUnit(figure.fluxUnit)}`;
  const yTicks = 5;
  // The narrowest mark that still shows: 1.5 units of the picture.
  const least = (1.5 * (xDomain[1] - xDomain[0])) / (WIDTH - LEFT - RIGHT);
  const spans = masked.map(({ x1, x2 }) => {
    const middle = (x1 + x2) / 2, width = Math.max(x2 - x1, least);
    return { x1: Math.max(middle - width / 2, xDomain[0]), x2: Math.min(middle + width / 2, xDomain[1]) };
  });
  const data = Plot.plot({
    ...common,
    height: DATA_HEIGHT + (withModel ? 0 : FOOT),
    marginTop: 8,
    marginBottom: withModel ? 2 : FOOT,
    x: { domain: xDomain, axis: null },
    y: { domain: yDomain },
    marks: [
      Plot.gridY({ stroke: COLOUR.grid, strokeOpacity: 1, ticks: yTicks }),
      Plot.areaY(drawn, { x: "x", y1: "low", y2: "high", fill: COLOUR.band, clip: true }),
      Plot.lineY(drawn, { x: "x", y: "flux", stroke: COLOUR.data, strokeWidth: 0.7, clip: true }),
      ...(withModel
        ? [Plot.lineY(drawn, { x: "x", y: "model", stroke: COLOUR.model, strokeWidth: 1.1, clip: true })]
        : []),
      Plot.rect(spans, {
        x1: "x1",
        x2: "x2",
        y1: yDomain[0],
        y2: yDomain[0] + 0.035 * (yDomain[1] - yDomain[0]),
        fill: COLOUR.masked,
      }),
      Plot.axisY({
        ticks: yTicks,
        tickFormat: tickText,
        label: unit,
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 60,
      }),
      ...(withModel ? [] : [
        Plot.axisX({
          label: xLabel,
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 36,
          tickFormat: "d",
        }),
      ]),
      Plot.frame({ stroke: COLOUR.rule }),
    ],
  });
  const name = `<text x="14" y="${
    top + 22
  }" font-family="${FONT}" font-size="17" font-weight="bold" fill="#1f2328">${escape(arm.name)}</text>`;
  const out = [placed(data, top), name];
  if (!withModel) return out;
  const pulls = drawn.map((p) => Math.abs(p.pull)).filter(Number.isFinite).sort((a, b) => a - b);
  const reach = Math.min(Math.max(4.5, 1.1 * (pulls[Math.round(0.998 * (pulls.length - 1))] ?? 0)), 30);
  const residual = Plot.plot({
    ...common,
    height: RESIDUAL_HEIGHT + FOOT,
    marginTop: 2,
    marginBottom: FOOT,
    x: { domain: xDomain, axis: null },
    y: { domain: [-reach, reach] },
    marks: [
      Plot.rect([0], { x1: xDomain[0], x2: xDomain[1], y1: -1, y2: 1, fill: "#eef1f4" }),
      Plot.lineY(drawn, { x: "x", y: "pull", stroke: COLOUR.data, strokeWidth: 0.6, clip: true }),
      Plot.ruleY([0], { stroke: COLOUR.model, strokeWidth: 1 }),
      Plot.axisY({
        ticks: 3,
        label: "residual / σ",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 60,
      }),
      Plot.axisX({
        label: xLabel,
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 36,
        tickFormat: "d",
      }),
      Plot.frame({ stroke: COLOUR.rule }),
    ],
  });
  out.push(placed(residual, top + DATA_HEIGHT + GAP));
  return out;
}

/** No thousands separators; a real minus sign. */
function tickText(x: number): string {
  const size = Math.abs(x);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6)
    ? x.toExponential()
    : String(Number(x.toPrecision(12)));
  return text.replaceAll("-", "−");
}

/** One panel, as an element of the whole picture. */
function placed(
  panel: { setAttribute(name: string, value: string): void; outerHTML: string },
  y: number,
): string {
  panel.setAttribute("y", String(y));
  return panel.outerHTML;
}

/** Range to draw: all of the model, nearly all of the data, lines to their bottom; single outliers do not count. */
function limits(flux: readonly number[], model: readonly number[]): [number, number] {
  const sorted = flux.toSorted((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.round(q * (sorted.length - 1))];
  let low = quantile(0.005), high = quantile(0.995);
  for (let i = 2; i < flux.length - 2; i++) {
    const middle = flux.slice(i - 2, i + 3).sort((a, b) => a - b)[2];
    low = Math.min(low, middle);
    high = Math.max(high, middle);
  }
  for (const x of model) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return [low, high];
}

/** Keeps at most MOST_POINTS: of every run of pixels the lowest and the highest, so that no line is lost. */
function thin(points: readonly Point[]): readonly Point[] {
  if (points.length <= MOST_POINTS) return points;
  const run = Math.ceil((2 * points.length) / MOST_POINTS), out: Point[] = [];
  for (let first = 0; first < points.length; first += run) {
    const part = points.slice(first, first + run);
    const finite = part.filter((p) => Number.isFinite(p.flux));
    if (finite.length < 2) {
      out.push(finite[0] ?? part[0]);
      continue;
    }
    const low = finite.reduce((a, b) => (b.flux < a.flux ? b : a));
    const high = finite.reduce((a, b) => (b.flux >= a.flux ? b : a));
    out.push(...(low.x < high.x ? [low, high] : [high, low]));
  }
  return out;
}

/** `10**-17 erg/(s cm2 Angstrom)` → `10⁻¹⁷ erg/(s cm² Å)`. */
export function prettyUnit(unit: string): string {
  const raised = (digits: string) =>
    [...digits].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)] ?? (c === "-" ? "⁻" : "")).join("");
  return unit
    .replace(/\bangstroms?\b/gi, "Å").replace(/\bAng\b/g, "Å")
    .replace(/\b(?:10\*\*|10\^|1e|1E)([+-]?\d+)/g, (_, power: string) => `10${raised(power)}`)
    .replace(/(\*\*|\^)([+-]?\d+)/g, (_, _operator: string, power: string) => raised(power))
    .replace(/\b(s|cm|m|Å|erg|Hz)([+-]?\d)\b/g, (_, base: string, power: string) => base + raised(power))
    .trim();
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
