/**
 * Measures what the README shows and writes it there:
 *
 *   deno run -A bench/readme.ts [demo|speed|kernels|prediction …]
 *
 * Everything between `<!-- demo -->` and `<!-- /demo -->` is the demo's output, shortened, and so for the others.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FitTiming } from "./fit.ts";
import type { Timing } from "./kernels.ts";
import type { Prediction } from "./predict.ts";

const README = new URL("../README.md", import.meta.url);
const RUNS = 7;
/** The last kernel of the stars' job, which comes first; the others' figures stand in docs/. */
const LAST_OF_STARS = "spline_evaluate";
/** Stars of the demo's table that are shown. */
const SHOWN = 8;

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** What a script says, results and messages in their order. */
function run(args: readonly string[], env: Record<string, string> = {}): string {
  const words = ["-c", 'exec "$0" run -A "$@" 2>&1', Deno.execPath(), ...args];
  const { success, stdout } = new Deno.Command("bash", { args: words, env, stdin: "null" }).outputSync();
  const out = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`${args.join(" ")}: ${out}`);
  return out;
}

function json<T>(args: readonly string[]): T {
  const out = run(args);
  return JSON.parse(out.slice(out.indexOf("{")));
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpu?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, Deno ${Deno.version.deno}`;
}

function markdown(rows: readonly (readonly string[])[]): string {
  const [heading, ...lines] = rows.map((cells) => `| ${cells.join(" | ")} |`);
  return [heading, `|${"---|".repeat(rows[0]!.length)}`, ...lines].join("\n");
}

/** The demo's output, most of its table left out, and so the line that names this machine's folders. */
function demo(): string {
  const folder = mkdtempSync(join(tmpdir(), "twinspec-readme-"));
  try {
    const lines = run([script("../cli/demo.ts")], { INIT_CWD: folder, NO_COLOR: "1" }).split("\n");
    const star = (line: string) => /^\s*\d{7}\s/.test(line);
    const last = lines.findLastIndex(star);
    const first = lines.findIndex(star);
    const end = lines.findIndex((line) => line.startsWith("Velocities"));
    const kept = lines.slice(0, end + 1)
      .filter((line, i) => (i < first + SHOWN || i > last) && !line.startsWith("target auto:"));
    kept.splice(kept.findLastIndex(star) + 1, 0, `… (${last - first + 1 - SHOWN} more)`);
    return ["```", kept.join("\n").trim(), "```"].join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function speed(): string {
  const { timings, input, load } = json<{ timings: FitTiming[]; input: string; load: number }>(
    [script("./fit.ts"), "--json", "--runs", String(RUNS)],
  );
  const rows = timings.map((t) => [
    t.mode,
    t.cpuPerStar.toFixed(3),
    t.cpuPerStarLowest.toFixed(3),
    t.timesFaster === null ? "–" : t.timesFaster.map((x) => x.toFixed(0)).join("–") + " ×",
    t.floorPerStar.toFixed(3),
    `${t.evaluations.toFixed(1)} (${t.evaluationsMost})`,
    t.megaflop.toFixed(1),
    t.gigaflops.toFixed(1),
    `${(t.peak / 2 ** 20).toFixed(0)} MiB`,
  ]);
  const heading = [
    "mode",
    "core-s per star",
    "lowest",
    "faster than rvspecfit",
    "floor",
    "evaluations, mean (most)",
    "Mflop each",
    "Gflop/s",
    "peak memory",
  ];
  const stages = timings.map((t) => {
    const parts = Object.entries(t.stages).map(([name, s]) => `${name} ${(1000 * s).toFixed(1)}`);
    return `Wall-clock ms per star and stage, ${t.mode}: ${parts.join(", ")}.`;
  });
  const how = `Median of ${RUNS} runs on ${machine()}, load ${load.toFixed(1)}; ${input}.`;
  return [markdown([heading, ...rows]), how, ...stages].join("\n\n");
}

function kernels(): string {
  const runs = [1, 2].map(() =>
    json<{ timings: Timing[] }>([script("./kernels.ts"), "--json", "--target", "wasm"]).timings
  );
  const shown = runs[0]!.findIndex(({ name }) => name === LAST_OF_STARS) + 1;
  const rows = runs[0]!.slice(0, shown).map((one, i) => {
    const t = runs.map((timings) => timings[i]!).reduce((a, b) =>
      a.microsecondsPerRow < b.microsecondsPerRow ? a : b
    );
    return [
      one.name,
      String(Number(t.microsecondsPerRow.toPrecision(3))),
      t.gigaflops.toFixed(1),
      t.gigabytes.toFixed(1),
    ];
  });
  const how =
    `Best of 30 samples on one core of ${machine()}. Set-up kernels without a batch: the whole call.`;
  return [markdown([["kernel", "µs", "Gflop/s", "GB/s"], ...rows]), how].join("\n\n");
}

function prediction(): string {
  const { gpu, threads, cost, bounds } = json<Prediction>([script("./predict.ts"), "--json"]);
  const amount = (value: number) => Number(value.toPrecision(2)).toLocaleString("en");
  const rows = bounds.map((b) => [
    String(b.gpus),
    `${100 * b.reached} %`,
    ...[b.arithmetic, b.memory, b.bus, b.drivers, b.main].map(amount),
    `**${amount(b.starsPerSecond)}**`,
    BINDS[b.binds]!,
  ]);
  const heading = [
    "GPUs",
    "of the roofline",
    "arithmetic",
    "memory",
    "bus",
    BINDS.drivers!,
    BINDS.main!,
    "least: stars/s",
    "binds",
  ];
  const rates = `${gpu.flops / 1e12} TFLOP/s float64 without tensor cores, ${gpu.memory / 1e12} TB/s, ` +
    `${gpu.bus / 1e9} GB/s of PCIe`;
  const counts =
    `${cost.evaluations.toFixed(0)} evaluations, ${(cost.flops / 1e9).toFixed(2)} Gflop in all kernels, ` +
    `${(cost.memory / 1e6).toFixed(0)} MB of device memory if no cache helps, ` +
    `${(cost.bus / 1e6).toFixed(1)} MB over the bus`;
  const host =
    `${(1e3 * cost.driver).toFixed(1)} ms of a driving thread (${threads} a GPU, each with a core) and ` +
    `${(1e3 * cost.main).toFixed(2)} ms of the one that reads and writes`;
  const how =
    `**A prediction, not a measurement**, for an ${gpu.name} by its data sheet: ${rates}. Counted per star on ` +
    `a WASM fit: ${counts}. Measured per star on the CPU, ${machine()}: ${host}. Bounds only: launches, waiting for the ` +
    `slowest star of a batch and messages between threads are not counted. \`deno run -A bench/predict.ts\` repeats it.`;
  return [markdown([heading, ...rows]), how].join("\n\n");
}

/** Names of what binds. */
const BINDS: Readonly<Record<string, string>> = {
  arithmetic: "arithmetic",
  memory: "memory",
  bus: "bus",
  drivers: "driving threads",
  main: "reading and writing",
};

const SECTIONS: Readonly<Record<string, () => string>> = { demo, speed, kernels, prediction };

if (import.meta.main) {
  const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(SECTIONS);
  let readme = readFileSync(README, "utf8");
  for (const name of wanted) {
    const make = SECTIONS[name];
    const parts = readme.split(new RegExp(`(<!-- /?${name} -->)`));
    if (make === undefined || parts.length !== 5) {
      console.error(`no section "${name}"; known: ${Object.keys(SECTIONS).join(", ")}`);
      Deno.exit(2);
    }
    parts[2] = `\n\n${make()}\n\n`;
    readme = parts.join("");
  }
  writeFileSync(README, readme);
}
