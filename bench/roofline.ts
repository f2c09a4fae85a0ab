/** What GPUs can do at most, by their data sheets: the roof that kernels are measured against. */

export interface Roof {
  /** Float64 operations per second, vector units: no kernel here uses tensor cores. */
  readonly flops: number;
  /** Bytes per second of the device's memory. */
  readonly memory: number;
}

/** By what the driver calls a device; the first that matches. Data sheets of the vendor, the boost clock throughout. */
const ROOFS: readonly (readonly [name: RegExp, roof: Roof])[] = [
  [/GH200/, { flops: 34e12, memory: 4.0e12 }],
  [/H200/, { flops: 34e12, memory: 4.8e12 }],
  [/H100 NVL/, { flops: 30e12, memory: 3.9e12 }],
  [/H100 PCIe/, { flops: 26e12, memory: 2.0e12 }],
  [/H100/, { flops: 34e12, memory: 3.35e12 }],
  [/B200/, { flops: 37e12, memory: 8.0e12 }],
  [/A100.*80GB/, { flops: 9.7e12, memory: 2.0e12 }],
  [/A100/, { flops: 9.7e12, memory: 1.555e12 }],
  [/A30/, { flops: 5.2e12, memory: 0.933e12 }],
  [/V100/, { flops: 7.8e12, memory: 0.9e12 }],
];

/** Roof of a device; null where it is not in the table. */
export function roofOf(name: string): Roof | null {
  return ROOFS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Part of the roofline that is reached: the least time that operations and bytes need, over the time taken. */
export function shareOfRoof(roof: Roof, flops: number, bytes: number, seconds: number): number {
  return Math.max(flops / roof.flops, bytes / roof.memory) / seconds;
}
