/** How the tests are shared among processes, and what the processes' reports come to. */

/** Files that run for a minute or more, most of it another program: first, and by themselves. */
const LONG = [
  "gpu/cuda_build_test.ts",
  "parity/mutants_test.ts",
  "gpu/sanitizer_test.ts",
  "parity/fused_test.ts",
];
/** Files of one process: each start costs a second. */
const FILES = 5;

/**
 * Test files in the groups that one process runs: long ones alone and first, then up to five of a folder.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(groups(["tests/io/a_test.ts", "tests/parity/fused_test.ts", "tests/io/b_test.ts"]), [
 *   ["tests/parity/fused_test.ts"],
 *   ["tests/io/a_test.ts", "tests/io/b_test.ts"],
 * ]);
 * ```
 */
export function groups(files: readonly string[]): string[][] {
  const long = LONG.flatMap((end) => files.filter((file) => file.endsWith(end)));
  const folders = new Map<string, string[]>();
  for (const file of files) {
    if (long.includes(file)) continue;
    const folder = file.slice(0, file.lastIndexOf("/") + 1);
    folders.set(folder, [...folders.get(folder) ?? [], file]);
  }
  const rest = [...folders.values()].flatMap((inside) =>
    Array.from(
      { length: Math.ceil(inside.length / FILES) },
      (_, i) => inside.slice(i * FILES, (i + 1) * FILES),
    )
  );
  return [...long.map((file) => [file]), ...rest];
}

export interface Counts {
  readonly passed: number;
  readonly steps: number;
  readonly failed: number;
  readonly ignored: number;
}

/**
 * The count in the last line of a report of `deno test`; null where there is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const report = "a ... ok (1s)\n\nok | 12 passed (3 steps) | 0 failed | 2 ignored (1m5s)\n";
 * assert.deepEqual(countOf(report), { passed: 12, steps: 3, failed: 0, ignored: 2 });
 * assert.equal(countOf("error: out of memory"), null);
 * ```
 */
export function countOf(report: string): Counts | null {
  // deno-lint-ignore no-control-regex
  const plain = report.replace(/\x1b\[[0-9;]*m/g, "");
  const line = plain.split("\n").findLast((text) => /^(ok|FAILED) \| \d+ passed/.test(text));
  if (line === undefined) return null;
  const number = (pattern: RegExp) => Number(pattern.exec(line)?.[1] ?? 0);
  return {
    passed: number(/(\d+) passed/),
    steps: number(/passed \((\d+) steps?/),
    failed: number(/(\d+) failed/),
    ignored: number(/(\d+) ignored/),
  };
}

export function sum(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    steps: a.steps + b.steps,
    failed: a.failed + b.failed,
    ignored: a.ignored + b.ignored,
  };
}

/**
 * The sum as `deno test` would say it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(
 *   summary({ passed: 3, steps: 0, failed: 0, ignored: 1 }, true, 75),
 *   "ok | 3 passed | 0 failed | 1 ignored (1m15s)",
 * );
 * ```
 */
export function summary(counts: Counts, well: boolean, seconds: number): string {
  const { passed, steps, failed, ignored } = counts;
  const whole = Math.round(seconds);
  return [
    well ? "ok" : "FAILED",
    `${passed} passed${steps > 0 ? ` (${steps} steps)` : ""}`,
    `${failed} failed${ignored > 0 ? ` | ${ignored} ignored` : ""}`,
  ].join(" | ") + ` (${whole >= 60 ? `${Math.floor(whole / 60)}m` : ""}${whole % 60}s)`;
}
