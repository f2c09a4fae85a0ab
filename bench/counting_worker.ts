/** A worker that fits on WASM and counts what its batches ask of the target: for bench/predict.ts. */
import type { Start } from "../core/fleet_protocol.ts";
import { bytes, type Dims, DTYPE_BYTES, type Kernel } from "../core/kernels/kernel.ts";
import type { FitBatch, FitJob } from "../core/stellar/batch.ts";
import { makeFitter } from "../core/stellar/fitter.ts";
import type { BatchResult } from "../core/stellar/result.ts";
import type { DeviceArray, HostArray } from "../core/target.ts";
import { WasmTarget } from "../core/wasm/target.ts";

/** Sums over batches; what a job does once is not in them. */
export interface Counts {
  flops: number;
  /** Bytes; see {@link bytesAlone}. */
  memory: number;
  /** Bytes up and down. */
  bus: number;
  /** Seconds in kernels and copies. */
  device: number;
  /** Seconds of the whole fits. */
  fitter: number;
}

/** Of the batches since they were last set to 0. */
export const counts: Counts = { flops: 0, memory: 0, bus: 0, device: 0, fitter: 0 };

/**
 * Bytes of one call, each entry by itself: of the library the corners of the cell, and all else once an entry. Kernels
 * that are no fused step of the fit are counted as the table has them.
 */
export function bytesAlone(kernel: Kernel, dims: Dims): number {
  const { E, T, C } = dims;
  if (E === undefined) return bytes(kernel, dims);
  const alone = { ...dims, E: 1, B: 1, ...(T !== undefined && C !== undefined ? { T: Math.min(T, C) } : {}) };
  return E * bytes(kernel, alone);
}

function timed<R>(call: () => R): R {
  const start = performance.now();
  const out = call();
  counts.device += (performance.now() - start) / 1000;
  return out;
}

class CountingTarget extends WasmTarget {
  override run(kernel: Kernel, dims: Dims, args: Readonly<Record<string, DeviceArray>>): void {
    counts.flops += kernel.flops(dims);
    counts.memory += bytesAlone(kernel, dims);
    timed(() => super.run(kernel, dims, args));
  }

  override upload(array: DeviceArray, data: HostArray, offset?: number): void {
    counts.bus += data.byteLength;
    timed(() => super.upload(array, data, offset));
  }

  override download(array: DeviceArray, offset = 0, length = array.length - offset): HostArray {
    counts.bus += length * DTYPE_BYTES[array.dtype];
    return timed(() => super.download(array, offset, length));
  }
}

export const start: Start<FitJob, FitBatch, BatchResult> = (_spec, shared) => {
  const target = new CountingTarget(shared as WebAssembly.Module);
  return {
    name: target.name,
    open(job) {
      const fitter = makeFitter(target, job);
      Object.assign(counts, { flops: 0, memory: 0, bus: 0, device: 0, fitter: 0 });
      return (batch) => {
        const began = performance.now();
        const result = fitter.fit(batch);
        counts.fitter += (performance.now() - began) / 1000;
        return { result, transfer: [] };
      };
    },
  };
};
