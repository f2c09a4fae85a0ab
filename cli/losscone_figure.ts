/** A picture of one sweep: data and model over pitch and energy with the loss cone, and χ² over (U, Bs/Bm). */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { LossconeOptions } from "../core/losscone/options.ts";
import { coneAngle, modelAt, type SweepPortrait } from "../core/losscone/portrait.ts";
import type { SweepResult } from "../core/losscone/result.ts";

/** What is drawn. */
export interface LossconeFigure {
  readonly title: string;
  /** Answers of the fit. */
  readonly subtitle: string;
  readonly portrait: SweepPortrait;
  readonly fit: SweepResult;
  readonly options: LossconeOptions;
}

const WIDTH = 1200;
const HEAD = 92;
const LEFT = 76;
const RIGHT = 20;
const FOOT = 48;
/** The two maps of flux. */
const FLUX = { width: 540, height: 400 } as const;
/** χ² over (U, Bs/Bm), and its least over Bs/Bm. */
const MAP = { width: 1090, height: 320 } as const;
const PROFILE = { height: 150 } as const;
const GAP = 14;
const BAR = 96;
const FONT = "DejaVu Sans, Verdana, sans-serif";
const INK = "#1f2328";
const SCALE = [
  "#0b1d51",
  "#1f4e8c",
  "#2f87a6",
  "#62bfa0",
  "#c9e39b",
  "#fdf3bf",
  "#f9b95c",
  "#e2603a",
  "#9c1f2e",
];
const COLOUR = {
  cone: "#ffffff",
  coneEdge: "#111111",
  none: "#dfe3e8",
  set: "#d1242f",
  plateau: "#d1242f",
  line: "#24292f",
  rule: "#8a9097",
  grid: "#e6e9ec",
};
/** Flux over the incident that the colours span, logarithmic around 1. */
const FLUX_RANGE = [0.02, 5] as const;
/** Rise of χ² over its least that the colours span. */
const RISE_RANGE = [0.001, 3] as const;
/** Width of the bins of pitch, deg. */
const BIN = 6;

type Panel = { setAttribute(name: string, value: string): void; outerHTML: string };

/** SVG of the figure. */
export function renderLosscone(figure: LossconeFigure): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
    document: object;
  };
  const common = { document, style: { fontSize: "13px", fontFamily: FONT } };
  const top = HEAD, below = top + FLUX.height + FOOT + 44, last = below + MAP.height + GAP;
  const height = last + PROFILE.height + FOOT + 6;
  const half = (WIDTH - BAR) / 2;
  const parts = [
    placed(fluxPanel(figure, "data", common), 0, top),
    placed(fluxPanel(figure, "model", common), half, top),
    bar(
      WIDTH - BAR + 14,
      top + 30,
      FLUX.height - 30,
      FLUX_RANGE,
      [0.03, 0.1, 0.3, 1, 3],
      "flux ÷ incident",
      fluxColour,
    ),
    placed(mapPanel(figure, common), 0, below),
    placed(profilePanel(figure, common), 0, last),
    bar(
      WIDTH - BAR + 14,
      below + 10,
      MAP.height - 10,
      RISE_RANGE,
      [0.001, 0.01, 0.1, 1],
      "χ² ÷ least − 1",
      riseColour,
    ),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    text(LEFT, 28, 18, figure.title, 'font-weight="bold"'),
    text(LEFT, 52, 14, figure.subtitle),
    text(LEFT, top + 14, 14, "Data", 'font-weight="bold"'),
    text(half + LEFT, top + 14, 14, "Model", 'font-weight="bold"'),
    key(LEFT + 70, top + 14),
    text(LEFT, below - 8, 14, "χ² over surface potential and field ratio, beam fitted", 'font-weight="bold"'),
    mapKey(WIDTH - BAR - 420, below - 8),
    ...parts,
    "</svg>",
  ].join("\n");
}

function text(x: number, y: number, size: number, content: string, extra = ""): string {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${x}" y="${y}" font-family="${FONT}" font-size="${size}" fill="${INK}" ${extra}>${safe}</text>`;
}

/** Mark and words of the loss cone and of what is not counted. */
function key(x: number, y: number): string {
  return `<path d="M${x},${y - 5}h26" stroke="${COLOUR.coneEdge}" stroke-width="4"/>` +
    `<path d="M${x},${y - 5}h26" stroke="${COLOUR.cone}" stroke-width="2"/>` +
    text(x + 32, y, 13, "loss cone") +
    `<rect x="${x + 118}" y="${y - 11}" width="26" height="12" fill="${COLOUR.none}"/>` +
    text(x + 150, y, 13, "no data") +
    `<rect x="${x + 218}" y="${y - 11}" width="26" height="12" fill="#000000"/>` +
    text(x + 250, y, 13, "no counts");
}

function mapKey(x: number, y: number): string {
  return `<path d="M${x},${y - 5}h26" stroke="${COLOUR.set}" stroke-width="2.5"/>` +
    text(x + 32, y, 13, "68 % set") +
    `<path d="M${x + 118},${y - 5}h26" stroke="${COLOUR.coneEdge}" stroke-width="2.5"/>` +
    text(x + 150, y, 13, "plateau of best U") +
    `<circle cx="${x + 302}" cy="${y - 5}" r="5" fill="white" stroke="${INK}" stroke-width="2"/>` +
    text(x + 314, y, 13, "best fit");
}

/** Colour at a part 0 … 1 of the scale. */
function ramp(part: number): string {
  const at = Math.max(0, Math.min(1, part)) * (SCALE.length - 1),
    i = Math.min(Math.floor(at), SCALE.length - 2);
  const channel = (colour: string, k: number) => parseInt(colour.slice(1 + 2 * k, 3 + 2 * k), 16);
  const mixed = [0, 1, 2].map((k) =>
    Math.round(channel(SCALE[i], k) * (1 - at + i) + channel(SCALE[i + 1], k) * (at - i))
  );
  return `rgb(${mixed.join(",")})`;
}

const logPart = (value: number, [low, high]: readonly [number, number]) =>
  Math.log(value / low) / Math.log(high / low);
/** 1 is in the middle of the scale: below it a loss cone, above it a beam. */
function fluxColour(value: number): string {
  return value <= 0 ? "#000000" : ramp(
    value < 1 ? 0.62 * logPart(value, [FLUX_RANGE[0], 1]) : 0.62 + 0.38 * logPart(value, [1, FLUX_RANGE[1]]),
  );
}
const riseColour = (value: number): string => ramp(1 - logPart(Math.max(value, RISE_RANGE[0]), RISE_RANGE));

/** Logarithmic colour bar with its ticks and its title. */
function bar(
  x: number,
  y: number,
  height: number,
  range: readonly [number, number],
  ticks: readonly number[],
  title: string,
  colour: (value: number) => string,
): string {
  const steps = 120, out: string[] = [];
  for (let i = 0; i < steps; i++) {
    const value = range[0] * (range[1] / range[0]) ** (1 - (i + 0.5) / steps);
    out.push(
      `<rect x="${x}" y="${y + (height * i) / steps}" width="14" height="${height / steps + 0.6}" fill="${
        colour(value)
      }"/>`,
    );
  }
  for (const tick of ticks) {
    const at = y + height * (1 - logPart(tick, range));
    out.push(
      `<path d="M${x + 14},${at}h4" stroke="${COLOUR.rule}"/>`,
      text(x + 21, at + 4, 12, String(tick)),
    );
  }
  out.push(
    `<g transform="translate(${x + 66},${y + height / 2}) rotate(-90)">${
      text(0, 0, 13, title, 'text-anchor="middle"')
    }</g>`,
  );
  return out.join("");
}

interface Tile {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
  readonly fill: string;
}

/** Upper and lower edge of the energies of each row: half way to the next, on a logarithmic axis. */
function edges(energy: Float64Array): { row: number; low: number; high: number }[] {
  const rows = [...energy.keys()].filter((r) => energy[r] > 0).sort((a, b) => energy[a] - energy[b]);
  return rows.map((row, i) => {
    const own = energy[row];
    const below = i > 0 ? Math.sqrt(own * energy[rows[i - 1]]) : NaN;
    const above = i + 1 < rows.length ? Math.sqrt(own * energy[rows[i + 1]]) : NaN;
    return {
      row,
      low: Number.isNaN(below) ? Number.isNaN(above) ? own / 1.2 : own * own / above : below,
      high: Number.isNaN(above) ? Number.isNaN(below) ? own * 1.2 : own * own / below : above,
    };
  });
}

function fluxTiles({ portrait, fit, options }: LossconeFigure, what: "data" | "model"): Tile[] {
  const { energy, pitch, data, potential } = portrait, P = pitch.length / energy.length;
  const tiles: Tile[] = [];
  for (const { row, low, high } of edges(energy)) {
    const bins = Math.round(180 / BIN);
    for (let bin = 0; bin < bins; bin++) {
      let sum = 0, n = 0;
      for (let k = row * P; k < (row + 1) * P; k++) {
        if (Math.min(bins - 1, Math.floor(pitch[k] / BIN)) !== bin || !Number.isFinite(data[k])) continue;
        sum += Math.max(0, data[k]);
        n++;
      }
      const x1 = bin * BIN, x2 = x1 + BIN;
      if (n === 0) continue;
      if (what === "data") tiles.push({ x1, x2, y1: low, y2: high, fill: fluxColour(sum / n) });
    }
    if (what === "data") continue;
    const fine = BIN / 4;
    for (let x1 = 0; x1 < 180; x1 += fine) {
      const value = modelAt(fit, options, potential[row], energy[row], x1 + fine / 2);
      if (energy[row] >= potential[row] && Number.isFinite(value)) {
        tiles.push({ x1, x2: x1 + fine, y1: low, y2: high, fill: fluxColour(value) });
      }
    }
  }
  return tiles;
}

/** Edge of the loss cone over all energies. */
function coneLine({ portrait, fit }: LossconeFigure, [low, high]: readonly [number, number]) {
  const potential = portrait.potential.find((v) => !Number.isNaN(v)) ?? 0;
  const points: { x: number; y: number }[] = [];
  for (let i = 0; i <= 400; i++) {
    const energy = low * (high / low) ** (i / 400);
    if (energy <= potential) continue;
    const cone = coneAngle(fit, potential, energy);
    points.push({ x: cone > 0 ? 180 - cone : NaN, y: energy });
  }
  return points;
}

function fluxPanel(figure: LossconeFigure, what: "data" | "model", common: object): Panel {
  const span = edges(figure.portrait.energy);
  const domain: [number, number] = [span[0]?.low ?? 1, span.at(-1)?.high ?? 10];
  const tiles = fluxTiles(figure, what);
  const line = coneLine(figure, domain);
  return Plot.plot({
    ...common,
    width: FLUX.width,
    height: FLUX.height + FOOT,
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: 26,
    marginBottom: FOOT,
    x: { domain: [0, 180] },
    y: { type: "log", domain },
    marks: [
      Plot.rect([0], { x1: 0, x2: 180, y1: domain[0], y2: domain[1], fill: COLOUR.none }),
      Plot.rect(tiles, {
        x1: "x1",
        x2: "x2",
        y1: "y1",
        y2: "y2",
        fill: "fill",
        stroke: "fill",
        strokeWidth: 0.4,
        shapeRendering: "crispEdges",
        clip: true,
      }),
      Plot.line(line, { x: "x", y: "y", stroke: COLOUR.coneEdge, strokeWidth: 4, clip: true }),
      Plot.line(line, { x: "x", y: "y", stroke: COLOUR.cone, strokeWidth: 2, clip: true }),
      Plot.axisX({
        ticks: [0, 30, 60, 90, 120, 150, 180],
        label: "pitch angle, degrees (0 towards the Moon)",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 40,
      }),
      Plot.axisY({
        ticks: 4,
        tickFormat: (value: number) => /^[1235]/.test(String(value)) ? String(value) : "",
        label: "energy, eV",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 62,
      }),
      Plot.frame({ stroke: COLOUR.rule }),
    ],
  }) as unknown as Panel;
}

function mapPanel({ portrait, fit }: LossconeFigure, common: object): Panel {
  const { u, b, chi2, limit } = portrait.map;
  const least = Math.min(fit.chi2, ...chi2);
  const du = (u[1] - u[0]) / 2, db = (b[1] - b[0]) / 2;
  const tiles: Tile[] = [];
  const inside: Tile[] = [];
  for (let j = 0; j < b.length; j++) {
    for (let i = 0; i < u.length;) {
      // Neighbours of the same colour are one tile: plateaus are wide.
      const fill = riseColour(chi2[j * u.length + i] / least - 1);
      const within = chi2[j * u.length + i] <= limit;
      let end = i + 1;
      while (
        end < u.length && riseColour(chi2[j * u.length + end] / least - 1) === fill &&
        (chi2[j * u.length + end] <= limit) === within
      ) end++;
      const tile = { x1: u[i] - du, x2: u[end - 1] + du, y1: b[j] - db, y2: b[j] + db, fill };
      tiles.push(tile);
      if (within) inside.push(tile);
      i = end;
    }
  }
  return Plot.plot({
    ...common,
    width: MAP.width,
    height: MAP.height,
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: 8,
    marginBottom: 4,
    x: { domain: [u[0], u[u.length - 1]], axis: null },
    y: { domain: [b[0], b[b.length - 1]] },
    marks: [
      Plot.rect(tiles, {
        x1: "x1",
        x2: "x2",
        y1: "y1",
        y2: "y2",
        fill: "fill",
        stroke: "fill",
        strokeWidth: 0.5,
        shapeRendering: "crispEdges",
        clip: true,
      }),
      Plot.rect(inside, {
        x1: "x1",
        x2: "x2",
        y1: "y1",
        y2: "y2",
        fill: COLOUR.set,
        shapeRendering: "crispEdges",
        clip: true,
      }),
      Plot.ruleX(ends(fit), { stroke: COLOUR.set, strokeWidth: 1.2, strokeDasharray: "5,4", clip: true }),
      Plot.dot([{ x: fit.u, y: fit.bsOverBm }], {
        x: "x",
        y: "y",
        r: 6,
        fill: "white",
        stroke: INK,
        strokeWidth: 2,
      }),
      Plot.axisY({
        ticks: 6,
        label: "Bs/Bm",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 56,
      }),
      Plot.frame({ stroke: COLOUR.rule }),
    ],
  }) as unknown as Panel;
}

/** Ends of the confidence set. */
const ends = ({ confidence }: SweepResult): number[] => confidence.flat();

function profilePanel({ portrait, fit }: LossconeFigure, common: object): Panel {
  const { u, b, chi2, limit } = portrait.map;
  const profile = Array.from(u, (x, i) => {
    let y = Infinity;
    for (let j = 0; j < b.length; j++) y = Math.min(y, chi2[j * u.length + i]);
    return { x, y };
  });
  const highest = Math.max(...profile.map(({ y }) => y)),
    most = Math.min(highest, 1.6 * fit.chi2 + 4 * (limit - fit.chi2));
  const pad = 0.08 * (most - fit.chi2) || 1;
  const domain: [number, number] = [fit.chi2 - 1.5 * pad, most + pad];
  // resvg panics on a clipped line that reaches far outside of the picture.
  for (const point of profile) point.y = Math.min(point.y, domain[1] + pad);
  const bands = fit.confidence.map(([low, high]) => ({ x1: low, x2: high }));
  const plateaus = fit.plateau.map(([low, high]) => ({ x1: low, x2: high }));
  return Plot.plot({
    ...common,
    width: MAP.width,
    height: PROFILE.height + FOOT,
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: 4,
    marginBottom: FOOT,
    x: { domain: [u[0], u[u.length - 1]] },
    y: { domain },
    marks: [
      Plot.rect(bands, {
        x1: "x1",
        x2: "x2",
        y1: domain[0],
        y2: domain[1],
        fill: COLOUR.set,
        fillOpacity: 0.14,
        clip: true,
      }),
      Plot.gridY({ stroke: COLOUR.grid, strokeOpacity: 1, ticks: 4 }),
      Plot.ruleX(ends(fit), { stroke: COLOUR.set, strokeWidth: 1.2, strokeDasharray: "5,4", clip: true }),
      Plot.ruleY([limit], { stroke: COLOUR.set, strokeWidth: 1.2, clip: true }),
      Plot.line(profile, {
        x: "x",
        y: "y",
        stroke: COLOUR.line,
        strokeWidth: 1.4,
        curve: "step",
        clip: true,
      }),
      Plot.link(plateaus, {
        x1: "x1",
        x2: "x2",
        y1: fit.chi2,
        y2: fit.chi2,
        stroke: COLOUR.coneEdge,
        strokeWidth: 4,
        clip: true,
      }),
      Plot.axisX({
        ticks: 9,
        tickFormat: (x: number) => String(Number(x.toPrecision(12))).replace("-", "−"),
        label: "surface potential U, V",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 40,
      }),
      Plot.axisY({
        ticks: 4,
        label: "least χ²",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 56,
      }),
      Plot.frame({ stroke: COLOUR.rule }),
    ],
  }) as unknown as Panel;
}

function placed(panel: Panel, x: number, y: number): string {
  panel.setAttribute("x", String(x));
  panel.setAttribute("y", String(y));
  return panel.outerHTML;
}
