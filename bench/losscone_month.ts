/**
 * A month of simulated sweeps through the command line: `deno run -A bench/losscone_month.ts [sweeps] [folder]`. Simulates
 * tables of whole days, fits them undisturbed, fits them again and kills that run (SIGKILL) when it has journalled half of
 * them, resumes it, and compares every array. All files are made in a folder of its own that is removed at the end.
 * Takes about two and a half times a fit, and 20 kB of disk a sweep twice over.
 */
import { Buffer } from "node:buffer";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNpz } from "../core/io/npy.ts";
import type { Usage } from "./fit_child.ts";

const CHILD = new URL("./fit_child.ts", import.meta.url).pathname;
const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;

const sweeps = Number(Deno.args[0] ?? 30_000);
const folder = mkdtempSync(join(Deno.args[1] ?? tmpdir(), "losscone-month-"));
const tables = join(folder, "tables");

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Starts a script with arguments; what it says on stderr is kept. */
function start(script: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, ...args],
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** Runs the command line to its end, and says what it took. */
async function run(name: string, args: readonly string[]): Promise<string> {
  const began = performance.now(), report = join(folder, "usage.json");
  const { code, stderr } = await start(CHILD, [report, ...args]).output();
  const said = new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${said}`);
  const { user, system, peak } = JSON.parse(Deno.readTextFileSync(report)) as Usage;
  const wall = (performance.now() - began) / 1000;
  console.log(
    `${name}: ${wall.toFixed(1)} s, CPU ${(user + system).toFixed(1)} s, peak memory ${megabytes(peak)}`,
  );
  return said;
}

const fit = (out: string) => [
  ...["losscone", "fit", tables, "--ephemeris", join(tables, "ephemeris.csv")],
  ...["--u-spacecraft", "-20", "--target", "wasm", "--out", out],
];

/** Kills a fit when its journal has `bytes`; the size that the journal had then. */
async function killed(out: string, bytes: number): Promise<number> {
  const child = start(MAIN, fit(out)), journal = `${out}.journal`;
  let ended = false;
  const end = child.output().finally(() => ended = true);
  while (!ended && sizeOf(journal) < bytes) await new Promise((next) => setTimeout(next, 20));
  if (ended) throw new Error("the run ended before it could be killed");
  child.kill("SIGKILL");
  await end;
  return sizeOf(journal);
}

/** Watches the size of a file while something runs: the largest. */
async function largest(path: string, work: Promise<unknown>): Promise<number> {
  let most = 0, ended = false;
  const end = work.finally(() => ended = true);
  while (!ended) {
    most = Math.max(most, sizeOf(path));
    await new Promise((next) => setTimeout(next, 100));
  }
  await end;
  return most;
}

/** Keys whose bytes differ between two files; the command line, which names the output, is left out. */
function differing(a: string, b: string): string[] {
  const [one, two] = [readNpz(a), readNpz(b)];
  const keys = new Set([...one.keys(), ...two.keys()]);
  keys.delete("provenance");
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  return [...keys].filter((key) => {
    const x = one.get(key)?.data, y = two.get(key)?.data;
    if (x === undefined || y === undefined || x.length !== y.length) return true;
    if (ArrayBuffer.isView(x) && ArrayBuffer.isView(y)) return !bytes(x).equals(bytes(y));
    return Array.from(x as ArrayLike<unknown>).some((value, i) => value !== (y as ArrayLike<unknown>)[i]);
  });
}

try {
  await run("simulate", ["losscone", "simulate", "--out", tables, "--sweeps", String(sweeps)]);
  const days = readdirSync(tables).filter((name) => name.endsWith(".TAB"));
  const disk = days.reduce((sum, name) => sum + sizeOf(join(tables, name)), 0);
  console.log(`${sweeps} sweeps in ${days.length} day tables, ${megabytes(disk)}`);

  const whole = join(folder, "whole.npz"), resumed = join(folder, "resumed.npz");
  const journal = await largest(`${whole}.journal`, run("undisturbed fit", fit(whole)));
  console.log(`journal ${megabytes(journal)}, NPZ ${megabytes(sizeOf(whole))}`);

  const left = await killed(resumed, journal / 2);
  const said = await run("fit after the kill", fit(resumed));
  const before = Number(/(\d+) of them done before/.exec(said)?.[1] ?? NaN);
  console.log(`killed with ${megabytes(left)} of journal: ${before} sweeps were not done again`);

  const numbers = Array.from(readNpz(resumed).get("spec_spec_no")!.data as ArrayLike<unknown>, Number);
  const faults = [
    ...numbers.length === sweeps && new Set(numbers).size === sweeps ? [] : ["sweeps are lost or doubled"],
    ...before > 0 && before < sweeps ? [] : ["the second run did not resume the first"],
    ...differing(whole, resumed).map((key) => `${key} differs from that of the undisturbed run`),
    ...sizeOf(`${resumed}.journal`) === 0 ? [] : ["the journal is left behind"],
  ];
  console.log(faults.length === 0 ? "every array is that of the undisturbed run" : faults.join("\n"));
  if (faults.length > 0) Deno.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
