/** Elevations of the 88 cells: `theta.tab`. */
import { readFileSync } from "node:fs";
import { InputError } from "../../io/input_error.ts";
import { inputFault } from "../../io/system_fault.ts";
import { latitudeOf, LATITUDES } from "../cells.ts";
import { SWEEP_CELLS } from "../sweep.ts";
import { tableNumber } from "./table_row.ts";

/** Reads them, deg, shape (88). @throws InputError where there are not 88, or one is not of the instrument */
export function readTheta(path: string): Float64Array {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw inputFault(error, path, "cannot be opened");
  }
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const theta = words.map((word) => tableNumber(word));
  const bad = theta.findIndex((value) => value === undefined);
  if (bad >= 0) throw new InputError(`${path}: value ${bad + 1} is "${words[bad]}", expected a number`);
  if (theta.length !== SWEEP_CELLS) {
    throw new InputError(`${path}: holds ${theta.length} elevations, expected ${SWEEP_CELLS}`);
  }
  return checkTheta(Float64Array.from(theta as number[]), path);
}

/** @throws InputError where an elevation is not of the instrument; names it */
export function checkTheta(theta: Float64Array, where: string): Float64Array {
  const bad = theta.findIndex((value) => latitudeOf(value) === null);
  if (bad < 0) return theta;
  const known = LATITUDES.map(({ theta }) => `±${theta}`).join(", ");
  throw new InputError(
    `${where}: theta of cell ${bad} is ${theta[bad]}; the instrument's latitudes are ${known} degrees`,
  );
}
