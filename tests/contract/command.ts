/** The command line as users start it: a process of its own, with the permissions of `deno task twinspec`. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const TASK: string = JSON.parse(readFileSync(CONFIG, "utf8")).tasks.twinspec.command;
const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** Words of the task between `deno run` and the program: its permissions. */
export const PERMISSIONS = TASK.split(" ").filter((word) => word.startsWith("--"));

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Start {
  /** Words before the permissions. */
  readonly deno?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Shell commands to run first, as `ulimit`. */
  readonly before?: string;
}

function command(args: readonly string[], { deno = [], env = {}, cwd, before }: Start): Deno.Command {
  const words = ["run", `--config=${CONFIG}`, ...deno, ...PERMISSIONS, MAIN, ...args];
  const [program, all] = before === undefined
    ? [Deno.execPath(), words]
    : ["bash", ["-c", `${before} exec "$@"`, "bash", Deno.execPath(), ...words]];
  return new Deno.Command(program, {
    args: all,
    env: { INIT_CWD: "", NO_COLOR: "1", ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a command to its end. */
export async function twinspec(args: readonly string[], start: Start = {}): Promise<Said> {
  return said(await command(args, start).output());
}

/** Starts a command that the test will interrupt. */
export function begun(args: readonly string[], start: Start = {}): Deno.ChildProcess {
  return command(args, start).spawn();
}

export function said({ code, stdout, stderr }: Deno.CommandOutput): Said {
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

/** Runs a command that is to end with 0. */
export async function done(args: readonly string[], start: Start = {}): Promise<Said> {
  const all = await twinspec(args, start);
  assert.equal(all.code, 0, `twinspec ${args.join(" ")}\n${all.err}`);
  return all;
}

/**
 * Runs a command that is to be refused: exit 2, nothing on stdout, one sentence on stderr, and nothing below the folder
 * changed.
 */
export async function refused(folder: string, args: readonly string[], ...patterns: RegExp[]): Promise<void> {
  const before = contents(folder);
  const { code, out, err } = await twinspec(args);
  const what = `twinspec ${args.join(" ")}\n${err}`;
  assert.equal(code, 2, what);
  assert.equal(out, "", what);
  assert.match(err, /^error: [^\n]+\n$/, `one sentence is wanted: ${what}`);
  assert.doesNotMatch(err, /\.ts:\d|fault of twinspec|undefined|\[object/, what);
  for (const pattern of patterns) assert.match(err, pattern);
  assert.deepEqual(contents(folder), before, `something was written: ${what}`);
}

/** Every file below a folder, with size and time. */
export function contents(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort().map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return `${name} ${size} ${mtimeMs}`;
  });
}

/** A folder of a test file, deleted when its tests are done. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "twinspec-contract-"));
  Deno.test.afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Simulates a file of stars; the second call of the same path finds it. */
export async function simulated(path: string, stars: number, ...more: string[]): Promise<string> {
  const options = ["--stars", String(stars), "--seed", "3", "--margin", "0.1", "--quiet", ...more];
  await done(["simulate", "--out", path, ...options]);
  return path;
}
