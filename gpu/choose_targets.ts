/** From what `--target` says to the devices of a run. */
import { InputError } from "../core/io/input_error.ts";
import type { ChosenTargets } from "../core/stellar/run_types.ts";
import { WASM_BATCH, wasmTargets } from "../core/stellar/wasm_targets.ts";
import { compileCore } from "../core/wasm/load.ts";
import { starsPerBatch } from "./batch_size.ts";
import { type DeviceRow, listDevices } from "./devices.ts";
import { DeviceError } from "./errors.ts";
import type { DeviceKind } from "./library.ts";

/** Fewer stars than this are fitted before a device has its library. */
const WORTHWHILE = 64;
/** Stars of a batch on a GPU: enough blocks to fill it in every step, the last ones included. */
const GPU_BATCH = 1024;
/** Workers a device: each has a stream of its own, so that one uploads while the other computes. */
const STREAMS = 2;
/** What an error of an absent device carries; see DEVICE_ERRORS. */
const ABSENT = 1;

/**
 * `wasm`; `cuda`: all usable devices; `cuda:0,2`: these; `emulated`; `auto`: CUDA where a device is usable and there are
 * stars enough, else WASM, and the note says which and why.
 *
 * @param devices - for tests
 * @throws DeviceError where the target is absent; InputError where it is no target
 */
export function chooseTargets(
  target: string,
  stars: number,
  devices: () => readonly DeviceRow[] = listDevices,
): ChosenTargets {
  if (target === "wasm") return wasmTargets(target);
  const [kind, list] = target.split(":", 2) as [string, string | undefined];
  if (kind === "auto" && list === undefined) return automatic(stars, devices());
  if (kind !== "cuda" && kind !== "emulated") {
    throw new InputError(`--target ${target}: there are auto, wasm, cuda, cuda:0,2 and emulated`);
  }
  const rows = devices().filter((row) => row.kind === kind);
  const usable = rows.filter((row) => row.usable);
  if (usable.length === 0) {
    throw new DeviceError(rows[0]?.reason ?? `no ${kind} device`, ABSENT);
  }
  const numbers = list === undefined ? usable.map(numberOf) : list.split(",").map(Number);
  for (const number of numbers) {
    const row = rows.find((other) => numberOf(other) === number);
    if (row === undefined || !row.usable) {
      throw new DeviceError(
        row?.reason ?? `${kind}:${number} is not there; ${usable.map((r) => r.target).join(", ")}`,
        ABSENT,
      );
    }
  }
  return onDevices(kind, rows.filter((row) => numbers.includes(numberOf(row))), null);
}

function numberOf(row: DeviceRow): number {
  return Number(row.target.split(":")[1] ?? 0);
}

function automatic(stars: number, rows: readonly DeviceRow[]): ChosenTargets {
  const usable = rows.filter((row) => row.kind === "cuda" && row.usable);
  const reason = rows.find((row) => row.kind === "cuda")?.reason ?? "no CUDA device";
  if (usable.length === 0) return { ...wasmTargets("auto"), note: `target auto: WASM; ${reason}` };
  if (stars < WORTHWHILE) {
    return { ...wasmTargets("auto"), note: `target auto: WASM; ${stars} stars are not worth a GPU` };
  }
  const names = usable.map((row) => row.name).join(", ");
  return onDevices("cuda", usable, `target auto: CUDA (${names}); ${stars} stars are worth it`);
}

function onDevices(kind: DeviceKind, rows: readonly DeviceRow[], note: string | null): ChosenTargets {
  const devices = rows.map(numberOf);
  // the emulated device is slow and for tests: one worker, small batches
  const streams = kind === "cuda" ? STREAMS : 1;
  const free = Math.min(...rows.map((row) => row.free ?? Infinity)) / streams;
  return {
    kind,
    worker: new URL("./fit_worker.ts", import.meta.url),
    shared: { core: compileCore(), kind },
    targets: Array.from(
      { length: streams },
      () => devices.map((device) => ({ kind: "cuda" as const, device })),
    ).flat(),
    lastResort: { kind: "wasm" },
    batch: kind === "cuda" ? GPU_BATCH : WASM_BATCH,
    ...(Number.isFinite(free) ? { starsPerBatch: (job) => starsPerBatch(job, free) } : {}),
    note,
  };
}
