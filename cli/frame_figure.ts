/**
 * Pictures of a frame, one a bundle: spectra of all its fibres as a map, the fit of the pixel model as a map, the
 * brightest fibre with its errors, and rows of its resolution matrix.
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { FitsFile } from "../core/io/fits_read.ts";
import { InputError } from "../core/io/input_error.ts";
import { toFloat64 } from "../core/io/number_types.ts";
import { writeSvg } from "./picture.ts";

const WIDTH = 1200, LEFT = 78, RIGHT = 24, HEAD = 66, GAP = 10;
const MAP_HEIGHT = 210, LINE_HEIGHT = 220;
const FONT = "DejaVu Sans, Verdana, sans-serif";
const COLOUR = { data: "#57606a", band: "#d3d8de", masked: "#1f6feb", rule: "#8a9097", grid: "#e6e9ec" };
/** Columns of a map; bins are averaged where there are more. */
const COLUMNS = 260;
/** Points of a line: of more, the lowest and highest of each run are drawn. */
const POINTS = 4000;
/** Fibres of a picture where the header does not say how many a bundle has. */
const BUNDLE = 25;

/** Spectra of one bundle, row-major over (fibres, bins). */
export interface BundleFigure {
  readonly title: string;
  readonly subtitle: string;
  /** Number of the first fibre. */
  readonly firstFibre: number;
  readonly fibres: number;
  /** Å, shape (bins). */
  readonly wave: Float64Array;
  readonly flux: Float64Array;
  readonly ivar: Float64Array;
  readonly mask: Float64Array;
  readonly chi2pix: Float64Array | null;
  /** Shape (fibres, bands, bins); null where there is none. */
  readonly resolution: Float64Array | null;
}

interface Panel {
  readonly svg: { setAttribute(name: string, value: string): void; outerHTML: string };
  readonly height: number;
}

/** SVG of a bundle. */
export function renderBundle(figure: BundleFigure): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
    document: object;
  };
  const panels = [fluxMap(figure, document)];
  if (figure.chi2pix !== null) panels.push(chi2Map(figure, document));
  const fibre = brightest(figure);
  panels.push(spectrum(figure, fibre, document));
  if (figure.resolution !== null) panels.push(resolution(figure, fibre, document));
  let top = HEAD;
  const parts = panels.map(({ svg, height }) => {
    svg.setAttribute("y", String(top));
    top += height + GAP;
    return svg.outerHTML;
  });
  const text = (y: number, size: number, content: string, extra = "") =>
    `<text x="${LEFT}" y="${y}" font-family="${FONT}" font-size="${size}" fill="#1f2328" ${extra}>${
      content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    }</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}">`,
    `<rect width="${WIDTH}" height="${top}" fill="white"/>`,
    text(26, 18, figure.title, 'font-weight="bold"'),
    text(50, 14, figure.subtitle),
    ...parts,
    "</svg>",
  ].join("\n");
}

const common = (document: object, height: number) => ({
  document,
  width: WIDTH,
  height,
  marginLeft: LEFT,
  marginRight: RIGHT,
  style: { fontSize: "12px", fontFamily: FONT },
});

interface Cell {
  readonly x1: number;
  readonly x2: number;
  readonly fibre: number;
  readonly value: number;
}

/** Means of `value` over the good bins of each cell of a map; NaN where there is none. */
function cells({ wave, fibres, firstFibre, ivar }: BundleFigure, value: (i: number) => number): Cell[] {
  const bins = wave.length, run = Math.max(1, Math.ceil(bins / COLUMNS));
  const half = bins > 1 ? (wave[1]! - wave[0]!) / 2 : 0.5;
  const out: Cell[] = [];
  for (let f = 0; f < fibres; f++) {
    for (let from = 0; from < bins; from += run) {
      const to = Math.min(bins, from + run);
      let sum = 0, n = 0;
      for (let w = from; w < to; w++) {
        const i = f * bins + w;
        if (!(ivar[i]! > 0)) continue;
        sum += value(i);
        n++;
      }
      out.push({
        x1: wave[from]! - half,
        x2: wave[to - 1]! + half,
        fibre: firstFibre + f,
        value: n === 0 ? NaN : sum / n,
      });
    }
  }
  return out;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))] ?? 0;
}

/** Numbers that an axis or a legend shows: no thousands separators, a real minus sign. */
function tick(x: number): string {
  return String(Number(x.toPrecision(6))).replace("-", "−");
}

function map(
  { firstFibre, fibres, wave }: BundleFigure,
  document: object,
  drawn: readonly Cell[],
  { label, scheme, domain, value, ticks }: {
    label: string;
    scheme: "greys" | "ylorrd";
    domain: [number, number];
    value(v: number): number;
    ticks: readonly number[];
  },
): Panel {
  const svg = Plot.plot({
    ...common(document, MAP_HEIGHT),
    marginTop: 26,
    marginBottom: 4,
    x: { domain: [wave[0]!, wave[wave.length - 1]!], axis: null },
    y: { domain: [firstFibre - 0.5, firstFibre + fibres - 0.5] },
    color: { scheme, domain: domain.map(value) as [number, number], clamp: true },
    marks: [
      Plot.rect([0], {
        x1: wave[0]!,
        x2: wave[wave.length - 1]!,
        y1: firstFibre - 0.5,
        y2: firstFibre + fibres - 0.5,
        fill: "#cfe2ff",
      }),
      Plot.rect(drawn.filter((cell) => Number.isFinite(cell.value)), {
        x1: "x1",
        x2: "x2",
        y1: (cell: Cell) => cell.fibre - 0.5,
        y2: (cell: Cell) => cell.fibre + 0.5,
        fill: (cell: Cell) => value(Math.min(Math.max(cell.value, domain[0]), domain[1])),
        inset: 0,
        shapeRendering: "crispEdges",
        clip: true,
      }),
      Plot.axisY({
        ticks: 6,
        tickFormat: tick,
        label: "fibre",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 60,
      }),
      Plot.text([`${label}:  ${ticks.map(tick).join("  –  ")}   (light to dark; blue: no data)`], {
        frameAnchor: "top-left",
        dy: -17,
        fontSize: 13,
        fill: "#1f2328",
      }),
      Plot.frame({ stroke: COLOUR.rule }),
    ],
  }) as unknown as Panel["svg"];
  return { svg, height: MAP_HEIGHT };
}

function fluxMap(figure: BundleFigure, document: object): Panel {
  const drawn = cells(figure, (i) => figure.flux[i]!);
  const values = drawn.map((cell) => cell.value);
  const low = Math.max(0, quantile(values, 0.01)), high = Math.max(quantile(values, 0.995), low + 1e-9);
  const soft = quantile(values, 0.3) || 1;
  return map(figure, document, drawn, {
    label: "flux, electron/Å, asinh scale",
    scheme: "greys",
    domain: [low, high],
    value: (v) => Math.asinh(v / soft),
    ticks: [low, high].map((v) => Number(v.toPrecision(2))),
  });
}

function chi2Map(figure: BundleFigure, document: object): Panel {
  const drawn = cells(figure, (i) => figure.chi2pix![i]!);
  const high = Math.min(25, Math.max(3, quantile(drawn.map((cell) => cell.value), 0.998)));
  return map(figure, document, drawn, {
    label: "χ² a pixel of the model",
    scheme: "ylorrd",
    domain: [0, high],
    value: Math.sqrt,
    ticks: [0, 1, Number(high.toPrecision(2))],
  });
}

/** The fibre with the largest median flux, from 0. */
function brightest({ flux, ivar, fibres, wave }: BundleFigure): number {
  const bins = wave.length;
  const medians = Array.from({ length: fibres }, (_, f) => {
    const row = Array.from({ length: bins }, (_, w) => f * bins + w).filter((i) => ivar[i]! > 0);
    return row.length === 0 ? -Infinity : quantile(row.map((i) => flux[i]!), 0.5);
  });
  return medians.indexOf(Math.max(...medians));
}

interface Point {
  readonly x: number;
  readonly flux: number;
  readonly low: number;
  readonly high: number;
}

function spectrum(
  { flux, ivar, mask, wave, firstFibre }: BundleFigure,
  fibre: number,
  document: object,
): Panel {
  const bins = wave.length, at = fibre * bins;
  const points = Array.from({ length: bins }, (_, w): Point => {
    const i = at + w, sigma = ivar[i]! > 0 ? 1 / Math.sqrt(ivar[i]!) : NaN;
    const value = ivar[i]! > 0 ? flux[i]! : NaN;
    return { x: wave[w]!, flux: value, low: value - sigma, high: value + sigma };
  });
  const run = Math.ceil((2 * bins) / POINTS);
  const drawn = run <= 1 ? points : thinned(points, run);
  // the range is that of bins that can be trusted
  const trusted = points.map((p, w) => mask[at + w] === 0 ? p.flux : NaN).filter(Number.isFinite);
  const finite = trusted.length > 0 ? trusted : [0, 1];
  const low = Math.min(quantile(finite, 0.002), 0), high = Math.max(...finite, 1e-9);
  const pad = 0.06 * (high - low);
  const half = bins > 1 ? (wave[1]! - wave[0]!) / 2 : 0.5;
  const flagged = Array.from(mask.subarray(at, at + bins), (bits, w) => ({ bits, x: wave[w]! })).filter((m) =>
    m.bits !== 0
  );
  const svg = Plot.plot({
    ...common(document, LINE_HEIGHT),
    marginTop: 26,
    marginBottom: 44,
    x: { domain: [wave[0]!, wave[bins - 1]!] },
    y: { domain: [low - 2 * pad, high + pad] },
    marks: [
      Plot.gridY({ stroke: COLOUR.grid, strokeOpacity: 1, ticks: 5 }),
      Plot.areaY(drawn, { x: "x", y1: "low", y2: "high", fill: COLOUR.band, clip: true }),
      Plot.lineY(drawn, { x: "x", y: "flux", stroke: COLOUR.data, strokeWidth: 0.8, clip: true }),
      Plot.rect(flagged, {
        x1: (m: { x: number }) => m.x - half,
        x2: (m: { x: number }) => m.x + half,
        y1: low - 2 * pad,
        y2: low - 1.2 * pad,
        fill: COLOUR.masked,
        clip: true,
      }),
      Plot.text(
        [`fibre ${firstFibre + fibre}, the brightest of the bundle: flux and ±σ; blue: flagged bins`],
        {
          frameAnchor: "top-left",
          dy: -17,
          fontSize: 13,
          fill: "#1f2328",
        },
      ),
      Plot.axisY({
        ticks: 5,
        tickFormat: tick,
        label: "flux, electron/Å",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 60,
      }),
      Plot.axisX({
        tickFormat: "d",
        label: "wavelength, Å (vacuum)",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 36,
      }),
      Plot.frame({ stroke: COLOUR.rule }),
    ],
  }) as unknown as Panel["svg"];
  return { svg, height: LINE_HEIGHT };
}

/** Of every run of points the one with the lowest and the one with the highest flux. */
function thinned(points: readonly Point[], run: number): Point[] {
  const out: Point[] = [];
  for (let from = 0; from < points.length; from += run) {
    const part = points.slice(from, from + run).filter((p) => Number.isFinite(p.flux));
    if (part.length === 0) {
      out.push(points[from]!);
      continue;
    }
    const low = part.reduce((a, b) => (b.flux < a.flux ? b : a)),
      high = part.reduce((a, b) => (b.flux >= a.flux ? b : a));
    out.push(...(low.x < high.x ? [low, high] : [high, low]));
  }
  return out;
}

/** Five rows of R over the range: each bin's line spread. */
function resolution(figure: BundleFigure, fibre: number, document: object): Panel {
  const { resolution: r, wave, fibres, firstFibre } = figure;
  const bins = wave.length, n = r!.length / (fibres * bins), half = (n - 1) / 2;
  const lines = [0.1, 0.3, 0.5, 0.7, 0.9].flatMap((share) => {
    const i = Math.floor(share * (bins - 1));
    return Array.from({ length: n }, (_, m) => {
      // band k of column j holds row j − half + k
      const j = i + m - half, k = half + i - j;
      const value = j < 0 || j >= bins ? NaN : r![(fibre * n + k) * bins + j]!;
      return { offset: m - half, value, at: `${wave[i]!.toFixed(0)} Å` };
    });
  });
  const values = lines.map((p) => p.value).filter(Number.isFinite),
    places = [...new Set(lines.map((p) => p.at))];
  const svg = Plot.plot({
    ...common(document, LINE_HEIGHT),
    marginTop: 26,
    marginBottom: 44,
    marginRight: RIGHT + 120,
    x: { domain: [-half, half] },
    y: { domain: [Math.min(0, ...values) - 0.02, Math.max(...values) * 1.08] },
    color: { scheme: "viridis", type: "ordinal", domain: places },
    marks: [
      Plot.gridY({ stroke: COLOUR.grid, strokeOpacity: 1, ticks: 5 }),
      Plot.ruleY([0], { stroke: COLOUR.rule }),
      Plot.lineY(lines, { x: "offset", y: "value", stroke: "at", strokeWidth: 1.4, marker: "circle" }),
      Plot.text([`fibre ${firstFibre + fibre}: rows of the resolution matrix`], {
        frameAnchor: "top-left",
        dy: -17,
        fontSize: 13,
        fill: "#1f2328",
      }),
      ...places.map((at, i) =>
        Plot.text([{ at }], {
          frameAnchor: "top-right",
          dx: 96,
          dy: 12 + 18 * i,
          text: "at",
          fill: "at",
          fontSize: 13,
          fontWeight: "bold",
        })
      ),
      Plot.axisY({
        ticks: 5,
        tickFormat: tick,
        label: "R",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 60,
      }),
      Plot.axisX({
        ticks: n,
        tickFormat: tick,
        label: "offset, bins",
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 36,
      }),
      Plot.frame({ stroke: COLOUR.rule }),
    ],
  }) as unknown as Panel["svg"];
  return { svg, height: LINE_HEIGHT };
}

/**
 * Draws every bundle of a frame.
 *
 * @param frame - path of the frame
 * @param folder - made where it is not there
 * @returns paths of the pictures
 * @throws InputError where it is no frame, or the folder cannot be written to
 */
export async function drawFrame(frame: string, folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  using file = FitsFile.open(frame);
  const header = file.hdus[0]!.header;
  const flux = file.hdu("FLUX");
  const [fibres = 0, bins = 0] = flux.shape;
  if (bins === 0) throw new InputError(`${frame}: FLUX has no bins, there is nothing to draw`);
  const first = header.integer("FIBERMIN") ?? 0, size = header.integer("BUNDLSIZ") ?? BUNDLE;
  const wave = toFloat64(file.image("WAVELENGTH").data);
  const stem = basename(frame).replace(/\.fits(\.gz)?$/, "");
  const written: string[] = [];
  for (let from = 0; from < fibres;) {
    const to = Math.min(fibres, size - (first + from) % size + from);
    const rows = Array.from({ length: to - from }, (_, i) => from + i);
    const part = (name: string) => file.find(name) === null ? null : toFloat64(file.image(name, rows).data);
    const figure: BundleFigure = {
      title: `${basename(frame)}  ·  fibres ${first + from} to ${first + to - 1}`,
      subtitle: [header.string("CAMERA"), header.string("TILING"), `${bins} bins of ${binText(wave)} Å`]
        .filter((text) => text !== undefined).join("  ·  "),
      firstFibre: first + from,
      fibres: rows.length,
      wave,
      flux: part("FLUX")!,
      ivar: part("IVAR") ?? new Float64Array(rows.length * bins).fill(1),
      mask: part("MASK") ?? new Float64Array(rows.length * bins),
      chi2pix: part("CHI2PIX"),
      resolution: part("RESOLUTION"),
    };
    const path = join(folder, `fig_${stem}_${String(first + from).padStart(3, "0")}.png`);
    await writeSvg(path, renderBundle(figure));
    written.push(path);
    from = to;
  }
  return written;
}

function binText(wave: Float64Array): string {
  return wave.length < 2
    ? "?"
    : String(Number(((wave[wave.length - 1]! - wave[0]!) / (wave.length - 1)).toPrecision(6)));
}
