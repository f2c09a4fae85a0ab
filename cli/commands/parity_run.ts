/** What `twinspec parity` does. */
import { KERNELS } from "../../core/kernels/table.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { listDevices } from "../../gpu/devices.ts";
import { DeviceError } from "../../gpu/errors.ts";
import type { DeviceKind } from "../../gpu/library.ts";
import { parityOf, type ParityRow } from "../../gpu/parity.ts";
import { FIT_TOLERANCE, type FitRow, parityOfFits } from "../../gpu/parity/fits.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { align } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import type { ParityCommand } from "./parity.ts";

/** Exit code where the target is absent. */
const ABSENT = 3;
const STARS: Readonly<Record<DeviceKind, number>> = { cuda: 64, emulated: 4 };

/**
 * Compares a device with WASM.
 *
 * @param open - how the device is opened, for tests
 * @returns 0 all within tolerance, 1 not, 3 no such target
 */
export function runParity(
  command: ParityCommand,
  terminal: Terminal,
  open: (kind: DeviceKind) => GpuTarget = (kind) => new GpuTarget(kind),
): number {
  const kind = command.target ?? chosenKind();
  let target: GpuTarget;
  try {
    target = open(kind);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    terminal.log("error", `${kind}: ${error.message}`);
    return ABSENT;
  }
  terminal.log("info", `${target.name} against WASM SIMD`);
  const wasm = loadWasmTarget();
  const kernels = KERNELS.filter((k) => command.kernel === undefined || k.name === command.kernel);
  const rows = kernels.map((kernel) => {
    terminal.status(`parity of ${kernel.name}`);
    return parityOf(kernel, target, wasm, { cases: command.cases, seed: command.seed });
  });
  terminal.status("whole fits");
  const fits = command.kernel === undefined
    ? parityOfFits(target, wasm, STARS[target.kind], command.seed)
    : [];
  terminal.status("");
  target.close();
  for (const line of align([KERNEL_HEADING, ...rows.map(kernelCells)])) terminal.print(line);
  if (fits.length > 0) {
    terminal.print("");
    for (const line of align([FIT_HEADING, ...fits.map(fitCells)])) terminal.print(line);
  }
  terminal.document({
    target: target.kind,
    kernels: rows.map(({ name, cases, worst, tolerance, label, ok, fault }) => ({
      ...{ name, cases, worst: worst.relative, worstAbsolute: worst.absolute },
      ...{ tolerance: tolerance.relative, case: label, where: worst.where, ok, fault },
    })),
    fits: fits.map(({ name, m2lnl, sigmas, parameter, ok }) => ({ name, m2lnl, sigmas, parameter, ok })),
  });
  const failed = [...rows, ...fits].filter((row) => !row.ok);
  for (const row of rows) {
    if (row.ok) continue;
    const why = row.fault ?? `${row.worst.where} (${row.label})`;
    terminal.log("error", `${row.name}: ${why}`);
  }
  if (failed.length === 0) terminal.log("info", "Everything is within its tolerance.");
  return failed.length === 0 ? 0 : 1;
}

/** CUDA where a device is usable, else the emulated one. */
function chosenKind(): DeviceKind {
  return listDevices().some((row) => row.kind === "cuda" && row.usable) ? "cuda" : "emulated";
}

const KERNEL_HEADING = ["KERNEL", "CASES", "WORST", "ABSOLUTE", "TOLERANCE", "", "WHERE"];
const FIT_HEADING = ["FIT", "Δ(−2 ln L)", "SIGMAS", "", "WHERE"];

function shown(value: number): string {
  return value === 0 ? "0" : value.toExponential(1).replace("-", "−");
}

function kernelCells({ name, cases, worst, tolerance, ok }: ParityRow): string[] {
  const verdict = ok ? "ok" : "FAIL";
  const numbers = [worst.relative, worst.absolute, tolerance.relative].map(shown);
  return [name, String(cases), ...numbers, verdict, worst.where];
}

function fitCells({ name, m2lnl, sigmas, parameter, ok }: FitRow): string[] {
  const wide = `limits ${FIT_TOLERANCE.m2lnl}, ${FIT_TOLERANCE.sigmas} σ`;
  return [name, shown(m2lnl), shown(sigmas), ok ? "ok" : "FAIL", ok ? parameter : `${parameter}, ${wide}`];
}
