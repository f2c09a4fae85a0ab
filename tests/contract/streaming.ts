/**
 * A long file in bounded memory: simulates stars, fits them, and prints time and the largest resident memory of the
 * fit. Takes minutes, so it is no test that runs by itself:
 *
 *     deno run -A tests/contract/streaming.ts --stars 5000 --workers 2 --limit-mb 1500
 *
 * Exit 1 where the memory exceeds the limit or an answer is missing. Memory is read from /proc: Linux only.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { argv, exit, stderr } from "node:process";
import { FitsFile } from "../../core/io/fits_read.ts";
import { begun, done, said } from "./command.ts";

/** What a fit of many stars took. */
export interface Taken {
  readonly stars: number;
  /** Size of the input, MB. */
  readonly input: number;
  /** Largest resident memory of the process, all workers, MB. */
  readonly peak: number;
  /** Seconds of the clock, and of all cores. */
  readonly wall: number;
  readonly cpu: number;
}

/** Clock ticks a second in /proc: 100 on every Linux. */
const TICKS = 100;

/** Peak memory, MB, and processor time, s, of a running process; null when it is gone. */
function usage(pid: number): { peak: number; cpu: number } | null {
  try {
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const cpu = (Number(fields[11]) + Number(fields[12])) / TICKS;
    return Number.isFinite(peak) ? { peak, cpu } : null;
  } catch {
    return null;
  }
}

/** Simulates and fits stars in a temporary folder. */
export async function streamed(stars: number, workers: number): Promise<Taken> {
  const folder = mkdtempSync(join(tmpdir(), "twinspec-streaming-"));
  try {
    const input = join(folder, "coadd-long.fits");
    await done(["simulate", "--out", input, "--stars", String(stars), "--seed", "1", "--quiet"]);
    const began = performance.now();
    const args = ["--output-dir", folder, "--workers", String(workers), "--quiet"];
    const child = begun(["fit", input, ...args]);
    const ended = child.output();
    let last = { peak: NaN, cpu: NaN };
    const watch = setInterval(() => last = usage(child.pid) ?? last, 200);
    const { code, err } = said(await ended);
    clearInterval(watch);
    assert.equal(code, 0, err);
    const wall = (performance.now() - began) / 1000;
    using file = FitsFile.open(join(folder, "rvtab_coadd-long.fits"));
    const rows = file.table("RVTAB").int64("ROW");
    assert.ok(rows.length === stars && rows.every((row, i) => Number(row) === i), "rows are missing");
    return { stars, input: Deno.statSync(input).size / 1e6, wall, ...last };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: {
      stars: { type: "string", default: "5000" },
      workers: { type: "string", default: "2" },
      "limit-mb": { type: "string", default: "1500" },
    },
  });
  const { stars, input, peak, wall, cpu } = await streamed(Number(values.stars), Number(values.workers));
  const limit = Number(values["limit-mb"]);
  console.log(
    `${stars} stars, ${input.toFixed(0)} MB: peak ${peak.toFixed(0)} MB, ${wall.toFixed(1)} s, ` +
      `CPU ${cpu.toFixed(1)} s (${(1000 * cpu / stars).toFixed(1)} ms a star)`,
  );
  if (!(peak <= limit)) {
    stderr.write(`error: peak memory ${peak.toFixed(0)} MB exceeds ${limit} MB\n`);
    exit(1);
  }
}
