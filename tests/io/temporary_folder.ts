import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs a function with a folder that is removed afterwards. */
export function withFolder<T>(fn: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "twinspec-test-"));
  try {
    return fn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
