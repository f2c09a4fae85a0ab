/** Where the output of each input goes: planned before any work, no two to the same place. */
import { basename, dirname, join, resolve, sep } from "node:path";
import { InputError } from "../io/input_error.ts";

export interface OutputPaths {
  /** Absolute path of the input. */
  readonly input: string;
  readonly rvtab: string;
  readonly rvmod: string;
  readonly journal: string;
}

/**
 * Names the outputs `rvtab_<name>` and `rvmod_<name>`, name = that of the input less `.gz`, ending in `.fits`. Inputs
 * of one name go to sub-folders named like the folders that tell them apart.
 *
 * @param inputs - different files
 */
export function planOutputs(inputs: readonly string[], outputDir: string): OutputPaths[] {
  const files = inputs.map((input) => {
    const path = resolve(input);
    return { path, folders: dirname(path).split(sep).filter((part) => part !== ""), name: outputName(path) };
  });
  // File systems that ignore case are common.
  const key = (name: string) => name.toLowerCase();
  const taken = new Set<string>();
  return files.map((file) => {
    const rivals = files.filter((other) => other !== file && key(other.name) === key(file.name));
    let { name } = file;
    const twins = rivals.some((other) => dirname(other.path) === dirname(file.path));
    if (twins && /\.gz$/i.test(file.path)) name = name.replace(/\.fits$/i, ".gz.fits");
    const folders = rivals.length === 0 ? [] : distinguishing(file, rivals);
    const folder = join(resolve(outputDir), ...folders);
    const rvtab = join(folder, `rvtab_${name}`);
    if (taken.has(key(rvtab))) {
      throw new InputError(`${file.path}: its output ${rvtab} is that of another input`);
    }
    taken.add(key(rvtab));
    return { input: file.path, rvtab, rvmod: join(folder, `rvmod_${name}`), journal: `${rvtab}.journal` };
  });
}

function outputName(path: string): string {
  const name = basename(path).replace(/\.gz$/i, "");
  return /\.fits$/i.test(name) ? name : `${name}.fits`;
}

/** The shortest tail of the folders of a file that no rival shares. */
function distinguishing(
  file: { readonly folders: readonly string[] },
  rivals: readonly { readonly folders: readonly string[] }[],
): string[] {
  const tail = (folders: readonly string[], n: number) => folders.slice(Math.max(0, folders.length - n));
  const same = (a: readonly string[], b: readonly string[]) =>
    a.join("/").toLowerCase() === b.join("/").toLowerCase();
  const others = rivals.filter((rival) => !same(rival.folders, file.folders));
  let n = 0;
  while (
    n < file.folders.length && others.some((rival) => same(tail(rival.folders, n), tail(file.folders, n)))
  ) n++;
  if (others.length === 0) n = 1;
  return tail(file.folders, n);
}
