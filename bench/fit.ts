/**
 * Whole fits, per star: `deno task bench:fit [--target wasm|auto|cuda|cuda:0,2|emulated] [--stars N] [--runs N] [--json]`.
 *
 * Every run is a process of its own: `twinspec fit`, on WASM with one worker, start of the program, reading, fitting and
 * writing included; the WASM core is compiled from AssemblyScript and the library made beforehand. The file is the
 * reference coadd of the development data with its library; where those are absent, on GPUs, or with `--stars`, simulated
 * stars. Stars per second are end to end, from the start of the program to its end.
 * Beside the measurement stands the count: evaluations (NEVAL) × operations of one evaluation by the kernel table, at
 * the rate that the inner step alone reaches on this machine now.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FitsFile } from "../core/io/fits_read.ts";
import { fitEvaluate } from "../core/kernels/fit.ts";
import { align } from "../cli/table.ts";
import { sharedData } from "../tests/shared_data.ts";
import { stellarTargets } from "../gpu/stellar_targets.ts";
import { listDevices } from "../gpu/devices.ts";
import { DeviceError } from "../gpu/errors.ts";
import type { Usage } from "./fit_child.ts";
import { CASES, casesFor } from "./kernel_cases.ts";
import { BATCH, openTarget, time } from "./kernels.ts";

/** Core-seconds per star of the reference program on its coadd, on a machine of the same kind. */
const REFERENCE = [2.0, 2.15] as const;
/** Simulated stars unless `--stars` says otherwise: enough for some batches on GPUs; the emulated device is slow. */
const SIMULATED = { wasm: 24, cuda: 4096, emulated: 3 } as const;
const MODES = [
  { mode: "std", option: [], kernel: "fit_evaluate" },
  { mode: "resolution matrix", option: ["--resolution-matrix"], kernel: "fit_evaluate, resolution matrix" },
  {
    mode: "resolution matrix, band limit",
    option: ["--resolution-matrix", "--band-limit"],
    kernel: "fit_evaluate, resolution matrix",
  },
] as const;

/** What is used of the document of `fit --json`. */
interface Answer {
  readonly target: string;
  readonly files: readonly { readonly rvtab: string; readonly stages: Readonly<Record<string, number>> }[];
}

export interface Input {
  readonly what: string;
  readonly spectra: string;
  /** Arguments that name the library. */
  readonly library: readonly string[];
  readonly comparable: boolean;
}

/** Whole bench of one mode. */
export interface FitTiming {
  readonly mode: string;
  /** As `--target` says, and what the program made of it. */
  readonly target: string;
  readonly device: string;
  readonly stars: number;
  /** End to end: stars over the median of the wall-clock time. */
  readonly starsPerSecond: number;
  readonly runs: number;
  /** Core-seconds per star, user and system: median and lowest of the runs. */
  readonly cpuPerStar: number;
  readonly cpuPerStarLowest: number;
  /** Seconds from start to end, median. */
  readonly wall: number;
  /** Largest of the runs, bytes. */
  readonly peak: number;
  /** Reference's core-seconds per star over ours, [low, high]; null where the input is another. */
  readonly timesFaster: readonly [number, number] | null;
  /** Evaluations per star: mean and largest. */
  readonly evaluations: number;
  readonly evaluationsMost: number;
  /** Mflop of one evaluation in all arms, and Gflop/s that it reaches. */
  readonly megaflop: number;
  readonly gigaflops: number;
  /** Seconds per star that the evaluations must cost, of a core or a device: the count at that rate. */
  readonly floorPerStar: number;
  /** Seconds by stage and star, of the run with the median CPU time. */
  readonly stages: Readonly<Record<string, number>>;
}

/** Runs the program in a process of its own. */
export async function twinspec(
  folder: string,
  args: readonly string[],
): Promise<{ usage: Usage; out: string }> {
  const report = join(folder, "usage.json");
  const child = fileURLToPath(new URL("./fit_child.ts", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", child, report, ...args],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`twinspec ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return { usage: JSON.parse(readFileSync(report, "utf8")), out: new TextDecoder().decode(stdout) };
}

/** The spectra to fit, and their library imported. @param stars - to simulate; null = the reference coadd, if here */
export async function prepareInput(folder: string, stars: number | null): Promise<Input> {
  const spectra = sharedData("stellar/reference/coadd-oracle-10378.fits.gz");
  const source = sharedData("stellar/reference/library");
  let library: string[] = [];
  if (spectra !== null && source !== null) {
    const path = join(folder, "reference.fits");
    await twinspec(folder, ["templates", "import", source, "--out", path, "--overwrite", "--quiet"]);
    library = ["--library", path];
    if (stars === null) {
      return { what: "the reference coadd with its library", spectra, library, comparable: true };
    }
  }
  const simulated = join(folder, "coadd-simulated.fits");
  const n = stars ?? SIMULATED.wasm;
  const words = ["--stars", String(n), ...library, "--overwrite", "--quiet"];
  await twinspec(folder, ["simulate", "--out", simulated, ...words]);
  const which = library.length > 0 ? "a library of 400 templates" : "the built-in library";
  return { what: `${n} simulated stars of ${which}`, spectra: simulated, library, comparable: false };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : 0.5 * (sorted[middle - 1]! + sorted[middle]!);
}

async function measure(
  folder: string,
  input: Input,
  { mode, option, kernel }: typeof MODES[number],
  runs: number,
  target: string,
): Promise<FitTiming> {
  const output = join(folder, "out");
  const words = ["fit", input.spectra, ...input.library, ...option, "--target", target];
  // a fit on GPUs has its own number of workers; on WASM one makes core-seconds of seconds
  const args = [...words, "--output-dir", output, "--workers", "1", "--overwrite", "--json", "--quiet"];
  const done: { cpu: number; wall: number; peak: number; out: string }[] = [];
  // one run more than counted: the first fills the page cache and the cache of compiled modules
  for (let run = 0; run <= runs; run++) {
    const start = performance.now();
    const { usage, out } = await twinspec(folder, args);
    const wall = (performance.now() - start) / 1000;
    if (run > 0) done.push({ cpu: usage.user + usage.system, wall, peak: usage.peak, out });
  }
  const cpu = done.map((run) => run.cpu);
  const typical = [...done].sort((a, b) => a.cpu - b.cpu)[done.length >> 1]!;
  const { target: device, files } = JSON.parse(typical.out) as Answer;
  const [file] = files;
  const evaluations = evaluationsIn(file!.rvtab);
  const stars = evaluations.length;

  const rate = rateOf(kernel, target);
  const inner = CASES.find(({ name }) => name === kernel)!;
  const flops = inner.calls.reduce((sum, { dims }) => sum + fitEvaluate.flops({ ...dims, E: 1 }), 0);
  const mean = evaluations.reduce((sum, n) => sum + n, 0) / stars;
  const perStar = median(cpu) / stars;
  return {
    mode,
    target,
    device,
    stars,
    starsPerSecond: stars / median(done.map((run) => run.wall)),
    runs,
    cpuPerStar: perStar,
    cpuPerStarLowest: Math.min(...cpu) / stars,
    wall: median(done.map((run) => run.wall)),
    peak: Math.max(...done.map((run) => run.peak)),
    timesFaster: input.comparable ? [REFERENCE[0] / perStar, REFERENCE[1] / perStar] : null,
    evaluations: mean,
    evaluationsMost: Math.max(...evaluations),
    megaflop: flops / 1e6,
    gigaflops: rate,
    floorPerStar: mean * flops / rate / 1e9,
    stages: Object.fromEntries(
      Object.entries(file!.stages).map(([name, seconds]) => [name, seconds / stars]),
    ),
  };
}

/** Gflop/s of the inner step alone, on the first device where the fits ran. */
function rateOf(kernel: string, target: string): number {
  const kind = stellarTargets(target, SIMULATED.cuda).kind;
  const usable = listDevices().filter((one) => one.kind === kind && one.usable);
  const row = usable.find((one) => one.target === target.split(",")[0]) ?? usable[0]!;
  const cases = casesFor(BATCH[row.kind]);
  const device = openTarget(row);
  try {
    return time(cases.find(({ name }) => name === kernel)!, 9, device).gigaflops;
  } finally {
    device.close?.();
  }
}

function evaluationsIn(rvtab: string): number[] {
  using file = FitsFile.open(rvtab);
  return [...file.table("RVTAB").float64("NEVAL")];
}

function report(timings: readonly FitTiming[]): string {
  const ms = (seconds: number) => (1000 * seconds).toFixed(1);
  const rows = timings.map((t) => [
    t.cpuPerStar.toFixed(4),
    t.cpuPerStarLowest.toFixed(4),
    t.timesFaster === null ? "–" : t.timesFaster.map((x) => x.toFixed(0)).join("–"),
    t.floorPerStar.toFixed(4),
    t.evaluations.toFixed(1),
    String(t.evaluationsMost),
    t.megaflop.toFixed(1),
    t.gigaflops.toFixed(1),
    (t.peak / 2 ** 20).toFixed(0),
    t.wall.toFixed(2),
    t.starsPerSecond.toFixed(1),
    t.mode,
  ]);
  const heading = [
    "core-s/star",
    "lowest",
    "× faster",
    "floor",
    "evaluations",
    "most",
    "Mflop each",
    "Gflop/s",
    "peak MiB",
    "wall s",
    "stars/s",
    "mode",
  ];
  const stages = timings.map((t) =>
    `${t.mode}, ms per star: ${
      Object.entries(t.stages).map(([name, seconds]) => `${name} ${ms(seconds)}`).join(", ")
    }`
  );
  return [...align([heading, ...rows]), ...stages].join("\n");
}

if (import.meta.main) {
  const args = [...Deno.args];
  const valueOf = (option: string) => args.includes(option) ? args[args.indexOf(option) + 1] ?? "" : null;
  const whole = (option: string): number | null => {
    const text = valueOf(option);
    if (text === null) return null;
    const value = Number(text);
    if (Number.isInteger(value) && value > 0) return value;
    console.error(`${option} takes a whole number above 0`);
    return Deno.exit(2);
  };
  const runs = whole("--runs") ?? 5;
  const target = valueOf("--target") ?? "wasm";
  const asked = whole("--stars");
  let kind: keyof typeof SIMULATED = "wasm";
  try {
    kind = stellarTargets(target, asked ?? SIMULATED.cuda).kind;
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(error instanceof DeviceError ? 3 : 2);
  }
  const stars = asked ?? (kind === "wasm" ? null : SIMULATED[kind]);
  const folder = mkdtempSync(join(tmpdir(), "twinspec-bench-"));
  try {
    const input = await prepareInput(folder, stars);
    const load = Deno.loadavg()[0]!;
    const timings: FitTiming[] = [];
    for (const mode of MODES) timings.push(await measure(folder, input, mode, runs, target));
    if (args.includes("--json")) {
      const about = { input: input.what, reference: REFERENCE, load };
      console.log(JSON.stringify({ ...about, timings }, null, 2));
    } else {
      const how = kind === "wasm" ? "one worker" : timings[0]!.device;
      console.log(`${input.what}: ${timings[0]!.stars} stars, ${how}, median of ${runs} runs`);
      console.log(report(timings));
      if (input.comparable) {
        console.log(`reference: ${REFERENCE.join(" to ")} core-s per star on the same kind of machine`);
      }
      console.log(`load before the runs: ${load.toFixed(2)}; floor: evaluations × Mflop ÷ Gflop/s`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
