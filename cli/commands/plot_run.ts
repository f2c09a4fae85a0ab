/** `twinspec plot`. */
import { shownPath, userPath } from "../paths.ts";
import { checkPictureName, writePicture } from "../picture.ts";
import { StarFigures } from "../star_figure.ts";
import type { Terminal } from "../terminal.ts";
import type { PlotCommand } from "./plot.ts";

/**
 * Runs `plot`.
 *
 * @returns the exit code
 */
export async function runPlot(command: PlotCommand, terminal: Terminal): Promise<number> {
  const out = userPath(command.out);
  checkPictureName(out);
  using figures = StarFigures.open(
    userPath(command.file),
    command.input === undefined ? null : userPath(command.input),
  );
  const figure = figures.figure({ targetid: command.targetid ?? null, row: command.row ?? null });
  await writePicture(out, figure);
  terminal.log("info", `${figure.title}: ${shownPath(out)}`);
  terminal.document({ picture: out, title: figure.title, answers: figure.subtitle });
  return 0;
}
