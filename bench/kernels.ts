/**
 * Times every kernel of the table on every target that is here:
 * `deno task bench [--target wasm|cuda|cuda:0|emulated] [--stars N] [--repeats N] [--json] [NAME…]`.
 *
 * Per case the best and the median of several samples: µs per row of the batch (all three arms), the rate of arithmetic
 * by the table's count of operations, that of memory by the fewest bytes a call can move, and on GPUs the part of the
 * roofline. Drawn inputs, data in place, no transfers, the device waited for; WASM on one core. The emulated device is
 * for tests and timed only when it is named.
 */
import { bytes } from "../core/kernels/kernel.ts";
import { KERNELS } from "../core/kernels/table.ts";
import type { Target } from "../core/target.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import { align } from "../cli/table.ts";
import { type DeviceRow, listDevices } from "../gpu/devices.ts";
import { GpuTarget } from "../gpu/target.ts";
import { type Case, casesFor, STARS } from "./kernel_cases.ts";
import { secondsOf } from "./kernel_call.ts";
import { type Roof, roofOf, shareOfRoof } from "./roofline.ts";

export interface Timing {
  /** As `--target` takes it. */
  readonly target: string;
  readonly name: string;
  readonly rows: number;
  /** Best of the repeats, summed over arms; the rates are of these. */
  readonly microsecondsPerRow: number;
  readonly medianMicrosecondsPerRow: number;
  readonly gigaflops: number;
  readonly gigabytes: number;
  /** Part of the roofline that is reached; null where the roof is not known. */
  readonly share: number | null;
  readonly repeats: number;
}

/** Stars of a batch that fills a device; the emulated one is slow. */
export const BATCH: Readonly<Record<DeviceRow["kind"], number>> = { wasm: STARS, cuda: 1024, emulated: 2 };

/** Times one case. */
export function time(
  one: Case,
  repeats: number,
  target: Target = loadWasmTarget(),
  { name = "wasm", roof = null as Roof | null } = {},
): Timing {
  let best = 0, typical = 0, flops = 0, moved = 0;
  for (const { dims, inputs } of one.calls) {
    const mark = target.mark();
    const seconds = secondsOf(target, one.kernel, dims, inputs(target), repeats).sort((a, b) => a - b);
    best += seconds[0]!;
    typical += seconds[seconds.length >> 1]!;
    flops += one.kernel.flops(dims);
    moved += bytes(one.kernel, dims);
    target.release(mark);
  }
  return {
    target: name,
    name: one.name,
    rows: one.rows,
    microsecondsPerRow: 1e6 * best / one.rows,
    medianMicrosecondsPerRow: 1e6 * typical / one.rows,
    gigaflops: flops / best / 1e9,
    gigabytes: moved / best / 1e9,
    share: roof === null ? null : shareOfRoof(roof, flops, moved, best),
    repeats,
  };
}

/** The targets to be timed: those named, or else all but the emulated one. @throws Error where none is usable */
export function chosenRows(named: string | null, rows: readonly DeviceRow[]): DeviceRow[] {
  const asked = rows.filter((row) =>
    named === null ? row.kind !== "emulated" : row.target === named || row.kind === named
  );
  const usable = asked.filter((row) => row.usable);
  if (usable.length === 0) {
    throw new Error(
      asked[0]?.reason ?? `no target ${named}; there are ${rows.map((r) => r.target).join(", ")}`,
    );
  }
  return usable;
}

/** Opens a target. */
export function openTarget({ kind, target }: DeviceRow): Target & { close?(): void } {
  if (kind === "wasm") return loadWasmTarget();
  return new GpuTarget(kind, { device: Number(target.split(":")[1] ?? 0) });
}

function report(about: DeviceRow, stars: number, timings: readonly Timing[]): string {
  const gpu = about.kind === "cuda" ? `, sm_${about.capability?.replace(".", "")}, CUDA ${about.driver}` : "";
  const lines = timings.map((t) => [
    t.microsecondsPerRow.toFixed(2),
    t.medianMicrosecondsPerRow.toFixed(2),
    t.gigaflops.toFixed(2),
    t.gigabytes.toFixed(2),
    t.share === null ? "–" : `${(100 * t.share).toFixed(0)} %`,
    String(t.rows),
    t.name,
  ]);
  const heading = ["µs/row", "median", "Gflop/s", "GB/s", "roof", "rows", "kernel"];
  return [`${about.target}: ${about.name}${gpu}, ${stars} stars`, ...align([heading, ...lines])].join("\n");
}

function commit(): string | null {
  try {
    const { success, stdout } = new Deno.Command("git", {
      args: ["rev-parse", "--short", "HEAD"],
      cwd: new URL(".", import.meta.url),
      stderr: "null",
    }).outputSync();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}

/** Ends the program with a sentence. */
function refuse(sentence: string, code: number): never {
  console.error(sentence);
  Deno.exit(code);
}

if (import.meta.main) {
  const words = [...Deno.args];
  const valueOf = (option: string): string | null => {
    const at = words.indexOf(option);
    return at < 0 ? null : words.splice(at, 2)[1] ?? refuse(`${option} takes a value`, 2);
  };
  const whole = (option: string): number | null => {
    const text = valueOf(option);
    if (text === null) return null;
    const value = Number(text);
    return Number.isInteger(value) && value > 0 ? value : refuse(`${option} takes a whole number above 0`, 2);
  };
  const repeats = whole("--repeats") ?? 15;
  const stars = whole("--stars");
  const named = valueOf("--target");
  const names = words.filter((word) => !word.startsWith("--"));
  const unknown = names.find((name) => !KERNELS.some((kernel) => kernel.name === name));
  if (unknown !== undefined) {
    refuse(`no kernel "${unknown}"; known: ${KERNELS.map((kernel) => kernel.name).join(", ")}`, 2);
  }
  const devices = listDevices();
  let rows: DeviceRow[] = [];
  try {
    rows = chosenRows(named, devices);
  } catch (error) {
    refuse((error as Error).message, 3);
  }
  const json = words.includes("--json");
  const all: Timing[] = [];
  for (const row of rows) {
    const target = openTarget(row);
    const roof = row.kind === "cuda" ? roofOf(row.name) : null;
    const batch = stars ?? BATCH[row.kind];
    const timings = casesFor(batch)
      .filter(({ kernel }) => names.length === 0 || names.includes(kernel.name))
      .map((one) => time(one, repeats, target, { name: row.target, roof }));
    target.close?.();
    all.push(...timings);
    if (!json) console.log(report(row, batch, timings));
  }
  if (json) {
    const about = { date: new Date().toISOString().slice(0, 10), commit: commit(), targets: rows };
    console.log(JSON.stringify({ ...about, repeats, timings: all }, null, 2));
  } else {
    const absent = devices.find((row) => named === null && row.kind === "cuda" && !row.usable);
    if (absent !== undefined) console.log(`cuda: not timed; ${absent.reason}`);
    console.log(`best of ${repeats}; a row is one star (template, spectrum) in the three arms of DESI`);
  }
}
