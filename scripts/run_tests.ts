/**
 * Every test, or those of the files and folders that are named: `deno test` in several processes at once, a few files
 * each, so that none shares memory, environment or device library with another. Options go on to `deno test`. Each
 * process's report is printed when it ends; the last line is their sum, in the words of `deno test`.
 */
import { availableParallelism } from "node:os";
import { buildEmulated } from "../gpu/compile_emulated.ts";
import { countOf, type Counts, groups, sum, summary } from "./test_groups.ts";

/** At most: each takes up to 1.5 GB. */
const PROCESSES = 4;

function testFiles(path: string): string[] {
  if (Deno.statSync(path).isFile) return [path];
  return [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
    const inner = `${path.replace(/\/$/, "")}/${entry.name}`;
    if (entry.isDirectory) return testFiles(inner);
    return entry.name.endsWith("_test.ts") ? [inner] : [];
  });
}

const named = Deno.args.filter((arg) => !arg.startsWith("-"));
const options = Deno.args.filter((arg) => arg.startsWith("-"));
const queue = groups((named.length > 0 ? named : ["tests"]).flatMap(testFiles));
const started = performance.now();

// once here rather than by every process that finds it missing; what is wrong with it, tests say
await buildEmulated().catch(() => null);

const counts: Counts[] = [];
const broken: string[] = [];

async function work(): Promise<void> {
  for (let files; (files = queue.shift()) !== undefined;) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--quiet", "--no-check", ...options, ...files],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    const report = decoder.decode(stdout) + decoder.decode(stderr);
    console.log(`\n${report.trimEnd()}`);
    const found = countOf(report);
    // a process that died says nothing of how many tests it had
    counts.push(found ?? { passed: 0, steps: 0, failed: 1, ignored: 0 });
    if (!success || found === null) broken.push(...files);
  }
}

await Promise.all(Array.from({ length: Math.min(PROCESSES, availableParallelism()) }, work));
if (broken.length > 0) console.log(`\nnot all well in: ${broken.join(" ")}`);
console.log(`\n${summary(counts.reduce(sum), broken.length === 0, (performance.now() - started) / 1000)}`);
Deno.exit(broken.length === 0 ? 0 : 1);
