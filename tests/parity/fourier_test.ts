import { slowSeries, slowSpectrum } from "../reference/fourier.ts";
import { parityTests } from "./suite.ts";

parityTests("fourier", ({ name }, { dims, inputs, poisoned, label }) => {
  const { B = 0, N } = dims as { B?: number; N: number };
  if (poisoned || N > 256 || label === "60 decades") return null;
  const input = name === "rfft" ? inputs.x : name === "irfft" ? inputs.spectrum : undefined;
  if (input === undefined) return null;
  const length = input.length / B;
  const rows = Array.from({ length: B }, (_, b) => input.subarray(b * length, (b + 1) * length));
  const out = rows.flatMap((row) => [...(name === "rfft" ? slowSpectrum(row) : slowSeries(row))]);
  return { out: Float64Array.from(out) };
});
