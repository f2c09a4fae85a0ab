/** One run at a time writes an output: a file beside it, locked by the system as long as the process lives. */
import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { pid } from "node:process";
import { InputError } from "./io/input_error.ts";
import { inputFault } from "./io/system_fault.ts";

/**
 * Locks an output. What a killed process leaves is an unlocked file, which is taken over.
 *
 * @param output - path of the output; the lock lies at `<output>.lock` and names the process
 * @param onNotice - told where the file system has no locks: then nothing keeps two runs apart
 * @returns gives the lock back
 * @throws InputError where another run holds it, or the folder cannot be written to
 */
export function lockOutput(output: string, onNotice: (text: string) => void = () => {}): () => void {
  const path = `${output}.lock`;
  for (let attempt = 0; attempt < 10; attempt++) {
    const file = opened(path, output);
    try {
      if (!file.tryLockSync(true)) {
        const who = ownerOf(file);
        file.close();
        throw new InputError(`${output}: ${who} is writing it; wait until it ends, or stop it`);
      }
    } catch (error) {
      if (error instanceof InputError) throw error;
      onNotice(
        `${output}: cannot be locked (${(error as Error).message}); let no other run write it meanwhile`,
      );
    }
    // Between opening and locking the owner before may have deleted the file: then this is the lock of nothing.
    if (!isAt(file, path)) {
      file.close();
      continue;
    }
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`process ${pid} on ${hostname()}\n`));
    return () => {
      rmSync(path, { force: true });
      file.close();
    };
  }
  throw new InputError(`${output}: another run is writing it; wait until it ends, or stop it`);
}

function opened(path: string, output: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, write: true, create: true });
  } catch (error) {
    throw inputFault(error, output, "cannot be written");
  }
}

function ownerOf(file: Deno.FsFile): string {
  try {
    const bytes = new Uint8Array(200);
    const [line] = new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0)).split("\n");
    return /^process \d+ on /.test(line) ? line : "another run";
  } catch {
    return "another run";
  }
}

/** Whether an open file still has its name. */
function isAt(file: Deno.FsFile, path: string): boolean {
  const own = file.statSync();
  try {
    const named = Deno.statSync(path);
    return own.ino === null || (own.ino === named.ino && own.dev === named.dev);
  } catch {
    return false;
  }
}
