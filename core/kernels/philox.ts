/** Counter-based random numbers: twins in core/assembly/philox.ts and gpu/kernels/philox.cu. */
import type { Kernel } from "./kernel.ts";

export const philoxWords: Kernel = {
  name: "philox_words",
  family: "philox",
  doc: "Random words of B counters with one key: the generator that the evolution draws from, by itself.",
  source: "Philox 4x32-10: Salmon, Moraes, Dror & Shaw 2011, Parallel random numbers: as easy as 1, 2, 3",
  dims: { B: "blocks" },
  args: [
    { name: "counter", role: "in", dtype: "i32", shape: ["B", "4"], unit: "1", doc: "bits of four words" },
    {
      name: "key",
      role: "in",
      dtype: "i32",
      shape: ["2"],
      unit: "1",
      doc: "bits of the seed, low word first",
    },
    { name: "words", role: "out", dtype: "i32", shape: ["B", "4"], unit: "1", doc: "bits of four words" },
  ],
  tolerance: { relative: 1e-16, absolute: 0 },
  nan: "not allowed",
  flops: (d) => 120 * d.B!,
};

export const PHILOX: readonly Kernel[] = [philoxWords];
