/** From what `--target` says to the devices of a run. */
import { InputError } from "../core/io/input_error.ts";
import { type ChosenTargets, type WasmPipeline, wasmTargets } from "../core/run_targets.ts";
import { compileCore } from "../core/wasm/load.ts";
import { type DeviceRow, devicesOf } from "./devices.ts";
import { DeviceError } from "./errors.ts";
import type { DeviceKind } from "./library.ts";

/** What a pipeline needs to run anywhere. */
export interface Pipeline<Job> extends WasmPipeline {
  /** Worker module for devices, see serve_gpu.ts. */
  readonly gpuWorker: URL;
  /** What the items are, for people: "stars". */
  readonly unit: string;
  /** Items of a batch on a GPU, at most: enough blocks to fill it in every step, the last ones included. */
  readonly gpuBatch: number;
  /** Fewer items than this are done before a device has what it needs: `auto` takes WASM. */
  readonly worthwhile: number;
  /** Items of a batch for a worker with so many bytes of device memory free. @throws RangeError where not even one fits */
  perBatch?(job: Job, free: number): number;
}

/** Workers a device: each has a stream of its own, so that one uploads while the other computes. */
const STREAMS = 2;
/** What an error of an absent device carries; see DEVICE_ERRORS. */
const ABSENT = 1;

/**
 * `wasm`; `cuda`: all usable devices; `cuda:0,2`: these; `emulated`; `auto`: CUDA where a device is usable and there are
 * items enough, else WASM, and the note says which and why.
 *
 * @param devices - what there is of a kind, for tests
 * @throws DeviceError where the target is absent; InputError where it is no target
 */
export function chooseTargets<Job>(
  target: string,
  items: number,
  pipeline: Pipeline<Job>,
  devices: (kind: DeviceKind) => readonly DeviceRow[] = devicesOf,
): ChosenTargets<Job> {
  if (target === "wasm") return wasmTargets(target, pipeline);
  const [kind, list] = target.split(":", 2) as [string, string | undefined];
  if (kind === "auto" && list === undefined) return automatic(items, pipeline, devices("cuda"));
  if (kind !== "cuda" && kind !== "emulated") {
    throw new InputError(`--target ${target}: there are auto, wasm, cuda, cuda:0,2 and emulated`);
  }
  const rows = devices(kind).filter((row) => row.kind === kind);
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
  return onDevices(kind, rows.filter((row) => numbers.includes(numberOf(row))), pipeline, null);
}

function numberOf(row: DeviceRow): number {
  return Number(row.target.split(":")[1] ?? 0);
}

function automatic<Job>(
  items: number,
  pipeline: Pipeline<Job>,
  rows: readonly DeviceRow[],
): ChosenTargets<Job> {
  const usable = rows.filter((row) => row.kind === "cuda" && row.usable);
  const reason = rows.find((row) => row.kind === "cuda")?.reason ?? "no CUDA device";
  if (usable.length === 0) {
    return { ...wasmTargets<Job>("auto", pipeline), note: `target auto: WASM; ${reason}` };
  }
  const what = `${items} ${pipeline.unit}`;
  if (items < pipeline.worthwhile) {
    return { ...wasmTargets<Job>("auto", pipeline), note: `target auto: WASM; ${what} are not worth a GPU` };
  }
  const names = usable.map((row) => row.name).join(", ");
  return onDevices("cuda", usable, pipeline, `target auto: CUDA (${names}); ${what} are worth it`);
}

function onDevices<Job>(
  kind: DeviceKind,
  rows: readonly DeviceRow[],
  pipeline: Pipeline<Job>,
  note: string | null,
): ChosenTargets<Job> {
  const devices = rows.map(numberOf);
  // the emulated device is slow and for tests: one worker, small batches
  const streams = kind === "cuda" ? STREAMS : 1;
  const free = Math.min(...rows.map((row) => row.free ?? Infinity)) / streams;
  return {
    kind,
    worker: pipeline.gpuWorker,
    shared: { core: compileCore(), kind },
    targets: Array.from(
      { length: streams },
      () => devices.map((device) => ({ kind: "cuda" as const, device })),
    ).flat(),
    lastResort: { kind: "wasm" },
    batch: kind === "cuda" ? pipeline.gpuBatch : pipeline.wasmBatch,
    ...(Number.isFinite(free) && pipeline.perBatch !== undefined
      ? { perBatch: (job: Job) => pipeline.perBatch!(job, free) }
      : {}),
    note,
  };
}
