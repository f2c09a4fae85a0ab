/** One run at a time writes an output: a lock file beside it names the process. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { kill, pid } from "node:process";
import { InputError } from "../io/input_error.ts";
import { inputFault } from "../io/system_fault.ts";

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start time of the process where the system tells it, else "": process numbers come round again. */
  readonly started: string;
  /** Tells locks of one process from those of another of the same number, as containers have them. */
  readonly token: string;
}

const held = new Set<string>();

/**
 * Locks an output. The lock of a process that is no more is taken over.
 *
 * @param output - path of the output; the lock lies at `<output>.lock`
 * @returns gives the lock back
 * @throws InputError where another run holds it
 */
export function lockOutput(output: string): () => void {
  const path = `${output}.lock`;
  const owner: Owner = { pid, host: hostname(), started: startOf(pid), token: crypto.randomUUID() };
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      writeFileSync(path, JSON.stringify(owner), { flag: "wx" });
      held.add(owner.token);
      return () => {
        if (held.delete(owner.token)) rmSync(path, { force: true });
      };
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") {
        throw inputFault(error, output, "cannot be written");
      }
    }
    const text = contentOf(path);
    if (text === null) continue;
    const other = ownerOf(text);
    if (other === null || alive(other)) throw inUse(output, path, other);
    takeAway(path, text, owner.token);
  }
  throw inUse(output, path, null);
}

/** Moves a dead lock aside; puts it back where it turns out that another process has just replaced it. */
function takeAway(path: string, text: string, token: string): void {
  const aside = `${path}-${token}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (contentOf(aside) !== text) {
    try {
      linkSync(aside, path);
    } catch {
      // A third process came first; the one whose lock this was still writes to its own temporary files.
    }
  }
  rmSync(aside, { force: true });
}

function alive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  if (owner.pid === pid) return held.has(owner.token);
  try {
    kill(owner.pid, 0);
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
  return owner.started === "" || owner.started === startOf(owner.pid);
}

function startOf(process: number): string {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function ownerOf(text: string): Owner | null {
  try {
    const owner = JSON.parse(text);
    return typeof owner.pid === "number" && typeof owner.host === "string" ? owner : null;
  } catch {
    return null;
  }
}

function inUse(output: string, path: string, other: Owner | null): InputError {
  const who = other === null ? "another run" : `process ${other.pid} on ${other.host}`;
  return new InputError(`${output}: ${who} is writing it; if that is not so any more, delete ${path}`);
}
