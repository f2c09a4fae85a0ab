/** Writing a picture: SVG as it is, PNG through resvg. */
import { createRequire } from "node:module";
import { extname } from "node:path";
import { InputError } from "../core/io/input_error.ts";
import { writeAtomic } from "../core/io/atomic_write.ts";
import { type Figure, renderFigure } from "./figure.ts";

/** Pixels of a PNG per unit of the picture. */
const SCALE = 1.25;

const FONTS = ["DejaVuSans", "DejaVuSans-Bold"];

/** @throws InputError where the name ends in neither .svg nor .png */
export function checkPictureName(path: string): void {
  if (![".svg", ".png"].includes(extname(path).toLowerCase())) {
    throw new InputError(`--out: ${path} must end in .svg or .png`);
  }
}

/** Writes a figure as SVG or PNG, by the ending of the path; it appears whole or not at all. */
export function writePicture(path: string, figure: Figure): Promise<void> {
  return writeSvg(path, renderFigure(figure));
}

/** Writes an SVG as it is or as PNG, by the ending of the path; it appears whole or not at all. */
export async function writeSvg(path: string, svg: string): Promise<void> {
  if (extname(path).toLowerCase() === ".svg") {
    writeAtomic(path, svg + "\n");
    return;
  }
  const { Resvg } = await import("@resvg/resvg-js");
  const { resolve } = createRequire(import.meta.url);
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    // Fonts of our own: the same picture on every machine, also on one without any.
    font: {
      loadSystemFonts: false,
      fontFiles: FONTS.map((name) => resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`)),
      defaultFontFamily: "DejaVu Sans",
    },
  });
  writeAtomic(path, image.render().asPng());
}
