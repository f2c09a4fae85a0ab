/** Comparing what two targets say, NaN included. */
import { evaluate } from "../../core/kernels/expression.ts";
import type { Argument, Kernel } from "../../core/kernels/kernel.ts";
import type { HostArray } from "../../core/target.ts";
import type { ParityCase } from "./case.ts";

export interface Worst {
  /** |a−b|. */
  readonly absolute: number;
  /** |a−b| / max(|a|, |b|, scale of the output in its batch row); Infinity where one is NaN and the other is not. */
  readonly relative: number;
  /** "gradient[1, 3]: 0.5 against 0.6". */
  readonly where: string;
}

export const NONE: Worst = { absolute: 0, relative: 0, where: "" };

/** Whether the first axis of an argument is its batch. */
function rowLength(argument: Argument, one: ParityCase): number {
  return argument.shape.slice(1).reduce((n, axis) => n * evaluate(axis, one.dims), 1);
}

/** The worst difference between two results of a call. `a` is the target under test, `b` the reference. */
export function compare(
  kernel: Kernel,
  one: ParityCase,
  a: Readonly<Record<string, HostArray>>,
  b: Readonly<Record<string, HostArray>>,
): Worst {
  let worst = NONE;
  for (const argument of kernel.args) {
    const x = a[argument.name], y = b[argument.name];
    if (x === undefined || y === undefined) continue;
    if (one.unspecified?.includes(argument.name) && one.poisoned === undefined) continue;
    const length = rowLength(argument, one);
    const rows = length === 0 ? 0 : y.length / length;
    for (let row = 0; row < rows; row++) {
      const from = row * length, to = from + length;
      if (one.poisoned?.includes(row)) {
        if (one.unspecified?.includes(argument.name)) continue;
        const nan = [x, y].map((values) => values.subarray(from, to).some(Number.isNaN));
        if (nan[1] && !nan[0]) return wrong(argument.name, [row], "no NaN", "NaN in the row");
        continue;
      }
      const found = compareRow(argument, row, x.subarray(from, to), y.subarray(from, to));
      if (found.relative > worst.relative || (worst.relative === 0 && found.absolute > 0)) worst = found;
    }
  }
  return worst;
}

function wrong(name: string, index: readonly number[], a: unknown, b: unknown): Worst {
  return { absolute: Infinity, relative: Infinity, where: `${name}[${index.join(", ")}]: ${a} against ${b}` };
}

function compareRow(argument: Argument, row: number, x: HostArray, y: HostArray): Worst {
  let scale = 0;
  for (const value of y) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  const whole = argument.dtype === "i32" || argument.dtype === "u8";
  let worst = NONE;
  for (let i = 0; i < y.length; i++) {
    const a = x[i]!, b = y[i]!;
    if (Object.is(a, b) || a === b) continue;
    if (whole || Number.isNaN(a) || Number.isNaN(b)) return wrong(argument.name, [row, i], a, b);
    const absolute = Math.abs(a - b);
    const relative = absolute / Math.max(Math.abs(a), Math.abs(b), scale);
    if (!(relative <= worst.relative)) {
      const shown = Number.isNaN(relative) ? Infinity : relative;
      worst = { absolute, relative: shown, where: `${argument.name}[${row}, ${i}]: ${a} against ${b}` };
    }
  }
  return worst;
}

/** Whether two results are the same to the bit; the name of the first output that is not. */
export function firstDifference(
  a: Readonly<Record<string, HostArray>>,
  b: Readonly<Record<string, HostArray>>,
): string | null {
  for (const [name, x] of Object.entries(a)) {
    const y = b[name]!;
    for (let i = 0; i < x.length; i++) {
      if (!Object.is(x[i], y[i])) return `${name}[${i}]: ${x[i]} then ${y[i]}`;
    }
  }
  return null;
}
