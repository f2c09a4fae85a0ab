/** Compiling the device library: what both build scripts share. */
import { errorHeader, kernelEntries, kernelHeader } from "./bindings.ts";

const here = new URL("./", import.meta.url);
export const BUILD = new URL("./build/", here);

/** Path of the library of a target. */
export function libraryPath(kind: "cuda" | "emulated"): string {
  return new URL(`libtwinspec_${kind}.so`, BUILD).pathname;
}

function list(folder: string, pattern: RegExp): string[] {
  const at = new URL(folder, here);
  return [...Deno.readDirSync(at)].filter((e) => e.isFile && pattern.test(e.name)).map((e) =>
    new URL(e.name, at).pathname
  ).sort();
}

/** Writes the files that follow from the tables where their content has changed. */
export function writeGenerated(): void {
  Deno.mkdirSync(BUILD, { recursive: true });
  const files = {
    "errors.h": errorHeader(),
    "kernel_table.h": kernelHeader(),
    "entries.cu": kernelEntries(),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = new URL(name, BUILD);
    let old: string | null = null;
    try {
      old = Deno.readTextFileSync(path);
    } catch {
      // not there yet
    }
    if (old !== text) Deno.writeTextFileSync(path, text);
  }
}

/** Sources that are compiled, the generated ones included. */
export function sources(): string[] {
  return [...list("kernels/", /\.cu$/), ...list("device/", /\.cu$/), new URL("entries.cu", BUILD).pathname];
}

/** Everything that sources include, and the scripts that compile them. */
export function headers(): string[] {
  return [
    ...list("kernels/", /\.cuh$/),
    ...list("device/", /\.cuh$/),
    ...list("include/", /\.h$/),
    ...list("emulated/", /\.(h|cpp)$/),
    new URL("errors.h", BUILD).pathname,
    new URL("kernel_table.h", BUILD).pathname,
  ];
}

/** Time of change, ms; 0 where the file is not there. */
export function modified(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}

export function newest(paths: readonly string[]): number {
  return paths.reduce((time, path) => Math.max(time, modified(path)), 0);
}

/** As many compilers at a time as there are cores, the longest sources first; results in the order of `sources`. */
export async function compileAll<T>(
  sources: readonly string[],
  compile: (source: string) => Promise<T>,
): Promise<T[]> {
  const length = (i: number) => Deno.statSync(sources[i]!).size;
  const queue = sources.map((_, i) => i).sort((a, b) => length(b) - length(a));
  const results = new Array<T>(sources.length);
  const work = async () => {
    for (let i; (i = queue.shift()) !== undefined;) results[i] = await compile(sources[i]!);
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
  return results;
}

export interface Ran {
  readonly ok: boolean;
  readonly text: string;
}

/** Runs a compiler; null where there is none of that name. */
export async function compiler(command: string, args: readonly string[]): Promise<Ran | null> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { ok: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
