/**
 * PREDICTS, and does not measure, stars per second on GPUs: `deno run -A bench/predict.ts [--stars N] [--json]`.
 *
 * What a star costs is counted on a real fit on the WASM target: every kernel call with the operations and the bytes of
 * the table, what goes to the target and comes back, and what the host does besides, in the fitter and in the thread
 * that reads and writes. What a run does once is left out. A GPU of stated rates then bounds stars per second by each of
 * these alone; the lowest bound binds. Not counted: launches, waiting, and messages between threads.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { align } from "../cli/table.ts";
import { DEFAULT_OPTIONS } from "../core/stellar/options.ts";
import { fitFiles } from "../core/stellar/run.ts";
import { stellarOnWasm } from "../core/stellar/wasm_targets.ts";
import { builtinLibraryPath } from "../core/templates/builtin_path.ts";
import { counts } from "./counting_worker.ts";
import { prepareInput } from "./fit.ts";
import { roofOf } from "./roofline.ts";

/** The GPU of the prediction: its data sheet, and PCIe 5 × 16 as it is reached in practice. */
export const GPU = { name: "NVIDIA H200", ...roofOf("NVIDIA H200")!, bus: 50e9 };
/** Host threads that feed a device; see STREAMS of gpu/choose_targets.ts. */
const THREADS = 2;
/** Part of the roofline that kernels are taken to reach: the aim, not a measurement. */
const REACHED = 0.5;
/** Runs; the least host time counts. */
const RUNS = 3;

/** What one star takes. */
export interface StarCost {
  /** Evaluations of the likelihood with its derivatives. */
  readonly evaluations: number;
  readonly flops: number;
  /** Bytes between the device's memory and its kernels, if nothing stays in a cache from one star to the next. */
  readonly memory: number;
  /** Bytes over the bus, both ways. */
  readonly bus: number;
  /** Seconds of the thread that drives the device: the fitter's own work, kernels and copies left out. */
  readonly driver: number;
  /** Seconds of the one thread that reads, deals out, collects and writes. */
  readonly main: number;
}

/** Stars per second that each thing alone would allow, and the least of them. */
export interface Bound {
  readonly gpus: number;
  readonly arithmetic: number;
  readonly memory: number;
  readonly bus: number;
  readonly drivers: number;
  readonly main: number;
  readonly binds: string;
  readonly starsPerSecond: number;
}

/** The arithmetic of the prediction. @param reached - part of the rates of arithmetic and memory that kernels reach */
export function bound(cost: StarCost, gpus: number, reached: number, gpu: typeof GPU = GPU): Bound {
  const limits = {
    arithmetic: gpus * reached * gpu.flops / cost.flops,
    memory: gpus * reached * gpu.memory / cost.memory,
    bus: gpus * gpu.bus / cost.bus,
    drivers: gpus * THREADS / cost.driver,
    main: 1 / cost.main,
  };
  const [binds, starsPerSecond] = Object.entries(limits).reduce((a, b) => a[1] < b[1] ? a : b);
  return { gpus, ...limits, binds, starsPerSecond };
}

/** What a star costs, from so many simulated ones with resolution matrices, all in this thread. */
export async function starCost(stars: number): Promise<StarCost> {
  const folder = mkdtempSync(join(tmpdir(), "twinspec-predict-"));
  try {
    const { spectra, library } = await prepareInput(folder, stars);
    const request = {
      inputs: [spectra],
      library: library[1] ?? builtinLibraryPath(),
      outputDir: folder,
      options: { ...DEFAULT_OPTIONS, resolutionMatrix: true },
      minSn: null,
      targetids: null,
      target: "wasm",
      workers: 0,
      batch: null,
      overwrite: true,
      skipExisting: false,
      commandLine: "bench/predict.ts",
    };
    const worker = new URL("./counting_worker.ts", import.meta.url);
    const costs: StarCost[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const [file] = await fitFiles(
        request,
        {},
        undefined,
        (...asked) => ({ ...stellarOnWasm(...asked), worker }),
      );
      const { results, stages } = file!;
      const sums = {
        evaluations: results.reduce((sum, star) => sum + star.evaluations, 0),
        flops: counts.flops,
        memory: counts.memory,
        bus: counts.bus,
        driver: counts.fitter - counts.device,
        main: stages.read! + stages.write!,
      };
      const each = Object.fromEntries(
        Object.entries(sums).map(([name, sum]) => [name, sum / results.length]),
      );
      // the first run compiles
      if (run > 0) costs.push(each as unknown as StarCost);
    }
    const least = (of: (cost: StarCost) => number) => Math.min(...costs.map(of));
    return { ...costs[0]!, driver: least((cost) => cost.driver), main: least((cost) => cost.main) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The whole prediction. */
export interface Prediction {
  readonly prediction: true;
  readonly gpu: typeof GPU;
  readonly threads: number;
  readonly cost: StarCost;
  /** At a part of the rates of arithmetic and memory. */
  readonly bounds: readonly (Bound & { readonly reached: number })[];
}

/** Predicts for one and for four GPUs. */
export function predict(cost: StarCost): Prediction {
  const bounds = [1, 4].flatMap((gpus) =>
    [1, REACHED].map((reached) => ({ reached, ...bound(cost, gpus, reached) }))
  );
  return { prediction: true, gpu: GPU, threads: THREADS, cost, bounds };
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--stars");
  const stars = at < 0 ? 64 : Number(Deno.args[at + 1]);
  if (!(Number.isInteger(stars) && stars > 0)) {
    console.error("--stars takes a whole number above 0");
    Deno.exit(2);
  }
  const prediction = predict(await starCost(stars));
  if (Deno.args.includes("--json")) console.log(JSON.stringify(prediction, null, 2));
  else {
    const { cost, bounds, gpu } = prediction;
    console.log(
      `PREDICTION for ${gpu.name}, from counts and stated rates; nothing of it is measured on a GPU`,
    );
    console.log(
      `per star: ${cost.evaluations.toFixed(1)} evaluations, ${(cost.flops / 1e9).toFixed(2)} Gflop, ` +
        `${(cost.memory / 1e6).toFixed(0)} MB of memory, ${(cost.bus / 1e6).toFixed(1)} MB over the bus, ` +
        `${(1e3 * cost.driver).toFixed(2)} ms of a driving thread, ${
          (1e3 * cost.main).toFixed(2)
        } ms of the main one`,
    );
    const rows = bounds.map((b) => [
      String(b.gpus),
      `${100 * b.reached} %`,
      ...[b.arithmetic, b.memory, b.bus, b.drivers, b.main, b.starsPerSecond].map((x) => x.toFixed(0)),
      b.binds,
    ]);
    const heading = ["GPUs", "reached", "arithmetic", "memory", "bus", "drivers", "main", "stars/s", "binds"];
    console.log(align([heading, ...rows]).join("\n"));
  }
}
