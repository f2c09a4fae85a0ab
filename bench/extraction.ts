/**
 * Extraction of one bundle, 25 fibres × 2326 bins, on one worker: `deno run -A bench/extraction.ts [--runs N] [--bins N]
 * [--reference] [--json]`. The image is simulated with a PSF of the development data, or with an invented one of its size.
 *
 * Time is CPU time of this process per fibre × wavelength, spots, normal equations, solution, R, ivar, chi2pix and mask
 * fraction included, reading and writing not; the best of the runs counts, for others use the machine too. Beside it:
 * every kernel's share and its operations as the kernel table counts them.
 */
import process from "node:process";
import { align } from "../cli/table.ts";
import { makeExtractor } from "../core/extraction/extractor.ts";
import { DEFAULT_EXTRACTION, type ExtractionJob } from "../core/extraction/job.ts";
import type { Psf } from "../core/extraction/psf.ts";
import { readPsf } from "../core/extraction/read_psf.ts";
import { simulateImage } from "../core/extraction/simulate.ts";
import { simulateScene } from "../core/extraction/simulate_spectra.ts";
import { bundleCutout } from "../core/extraction/tiling.ts";
import type { Dims, Kernel } from "../core/kernels/kernel.ts";
import type { Target } from "../core/target.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import { sharedData } from "../tests/shared_data.ts";

/** CPU time of the reference programs on the same kind of machine, µs per fibre × wavelength (25 × 2326 bins). */
const REFERENCE = { gpu_specter: 230, specter: 313 };
const FIBRES = 25, FRAME = { fibres: 500, bins: 2326 };

function option(name: string, otherwise: number): number {
  const at = Deno.args.indexOf(name);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

/** A PSF of the size of DESI's: 4114 × 4128 pixels, spots of 17 × 11, 7 Hermite degrees. */
function invented(): Psf {
  const fibres = FIBRES, traceTerms = 2, shapeTerms = 2, degree = 6;
  const P = 2 + (degree + 1) ** 2 + 5;
  const trace = new Float64Array(fibres * 2 * traceTerms), shape = new Float64Array(fibres * P * shapeTerms);
  for (let f = 0; f < fibres; f++) {
    trace.set([2060 + 7.4 * f, 10, 2064 + 0.3 * f, 2100], 2 * f * traceTerms);
    for (let p = 0; p < P - 5; p++) {
      shape.set([p < 2 ? 1.1 : p === 2 ? 1 : 0.02 * Math.sin(p + f)], (f * P + p) * shapeTerms);
    }
  }
  const domain = { min: 5543, max: 7827 };
  return {
    ...{
      path: "invented",
      camera: "r0",
      firstFibre: 0,
      fibres,
      columns: 4114,
      rows: 4128,
      halfX: 8,
      halfY: 5,
    },
    ...{ degreeX: degree, degreeY: degree, traceDomain: domain, traceTerms, trace, shapeDomain: domain },
    ...{ shapeTerms, shape, error: 0.01 },
  };
}

interface Spent {
  seconds: number;
  flops: number;
  calls: number;
}

/** A target that keeps account of every kernel. */
function accounted(target: Target, spent: Map<string, Spent>): Target {
  return new Proxy(target, {
    get(on, key) {
      if (key === "run") {
        return (kernel: Kernel, dims: Dims, args: Parameters<Target["run"]>[2]) => {
          const before = process.cpuUsage();
          on.run(kernel, dims, args);
          const entry = spent.get(kernel.name) ?? { seconds: 0, flops: 0, calls: 0 };
          const { user, system } = process.cpuUsage(before);
          entry.seconds += (user + system) / 1e6;
          entry.flops += kernel.flops(dims);
          entry.calls++;
          spent.set(kernel.name, entry);
        };
      }
      const value = Reflect.get(on, key);
      return typeof value === "function" ? value.bind(on) : value;
    },
  });
}

const runs = option("--runs", 5), bins = option("--bins", FRAME.bins);
const path = sharedData("extraction/psf-r0-00051060.fits");
const psf = path === null ? invented() : readPsf(path);
const firstFibre = path === null ? 0 : 250;
const wave = Float64Array.from({ length: bins }, (_, i) => 5760 + 0.8 * i);
const tiling = Deno.args.includes("--reference") ? "reference" : "bundle";
const job: ExtractionJob = { psf, wave, options: { ...DEFAULT_EXTRACTION, tiling } };
const cutout = bundleCutout(job, { firstFibre, fibres: FIBRES });
const image = new Float32Array(cutout.columns * cutout.rows), ivar = image.slice();
const scene = simulateScene({ wave, firstFibre, fibres: FIBRES, seed: 1 });
const simulated = { psf, firstFibre, fibres: FIBRES, wave: scene.wave, photons: scene.photons, seed: 1 };
for (const strip of simulateImage(loadWasmTarget(), simulated)) {
  for (let r = Math.max(0, cutout.y0 - strip.firstRow); r < strip.rows; r++) {
    const row = strip.firstRow + r - cutout.y0;
    if (row >= cutout.rows) break;
    const from = r * strip.columns + cutout.x0;
    image.set(strip.image.subarray(from, from + cutout.columns), row * cutout.columns);
    ivar.set(strip.ivar.subarray(from, from + cutout.columns), row * cutout.columns);
  }
}

const n = FIBRES * bins;
let best = Infinity, kernels = new Map<string, Spent>();
const target = loadWasmTarget();
for (let run = 0; run <= runs; run++) {
  const spent = new Map<string, Spent>();
  const extractor = makeExtractor(accounted(target, spent), job);
  const before = process.cpuUsage();
  extractor.extract({ bundles: [{ firstFibre, fibres: FIBRES, cutout, image, ivar }] });
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / n;
  // the first run compiles
  if (run > 0 && cpu < best) [best, kernels] = [cpu, spent];
}
const frame = best * FRAME.fibres * FRAME.bins / 1e6;
const answer = {
  tiling,
  fibres: FIBRES,
  bins,
  microsecondsPerBin: best,
  kflopPerBin: [...kernels.values()].reduce((sum, k) => sum + k.flops, 0) / n / 1000,
  timesFasterThan: { gpu_specter: REFERENCE.gpu_specter / best, specter: REFERENCE.specter / best },
  coreSecondsPerFrame: frame,
  targetMebibytes: target.memory().peak / 2 ** 20,
  processMebibytes: Deno.memoryUsage().rss / 2 ** 20,
};
if (Deno.args.includes("--json")) console.log(JSON.stringify(answer, null, 2));
else {
  console.log(
    `${FIBRES} fibres × ${bins} bins, tiling ${tiling}, one worker, best of ${runs}; PSF ${psf.path}`,
  );
  const rows = [...kernels].map(([name, { seconds, flops, calls }]) => [
    name,
    (seconds * 1e6 / n).toFixed(2),
    (flops / n / 1000).toFixed(1),
    (flops / seconds / 1e9).toFixed(1),
    String(calls),
  ]);
  console.log(align([["kernel", "µs/bin", "kflop/bin", "Gflop/s", "calls"], ...rows]).join("\n"));
  console.log(
    `${best.toFixed(1)} µs of CPU time per fibre × wavelength, ${answer.kflopPerBin.toFixed(0)} kflop; ` +
      `gpu_specter ${REFERENCE.gpu_specter} (${answer.timesFasterThan.gpu_specter.toFixed(1)}×), ` +
      `specter ${REFERENCE.specter} (${answer.timesFasterThan.specter.toFixed(1)}×)`,
  );
  console.log(
    `a frame of ${FRAME.fibres} × ${FRAME.bins}: ${frame.toFixed(1)} core-seconds; memory of the target ` +
      `${answer.targetMebibytes.toFixed(0)} MiB, of the process ${answer.processMebibytes.toFixed(0)} MiB`,
  );
}
