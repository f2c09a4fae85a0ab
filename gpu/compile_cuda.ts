/** Builds libtwinspec_cuda.so by nvcc, and reads out what each kernel takes of registers. */
import {
  BUILD,
  compileAll,
  compiler,
  headers,
  libraryPath,
  modified,
  newest,
  sources,
  writeGenerated,
} from "./compile.ts";

/** Kernels that may spill registers to memory, and why. */
export const DECLARED_SPILLS: Readonly<Record<string, string>> = {
  lossconeSearchKernel:
    "a whole branch and bound in one thread: a few words beside 85 kB of scratch in global memory",
};

/** What ptxas said at the last build. */
const LOG = new URL("ptxas.log", BUILD).pathname;

const ARCHITECTURES = ["80", "90"];

export interface KernelResources {
  readonly kernel: string;
  /** "sm_80". */
  readonly architecture: string;
  readonly registers: number;
  /** Bytes. */
  readonly stack: number;
  readonly spillStores: number;
  readonly spillLoads: number;
}

export interface CudaBuild {
  /** Path of the library; null where there is no nvcc. */
  readonly path: string | null;
  /** Of the build that made the library. */
  readonly resources: readonly KernelResources[];
}

/**
 * Resources by kernel from what `ptxas -v` says.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const [kernel] = readResources(
 *   "ptxas info    : Compiling entry function '_ZN8twinspec11chisqKernelENS_10chisq_callE' for 'sm_90'\n" +
 *     "    0 bytes stack frame, 8 bytes spill stores, 16 bytes spill loads\n" +
 *     "ptxas info    : Used 64 registers, used 1 barriers, 96 bytes cmem[0]\n",
 * );
 * assert.deepEqual([kernel.kernel, kernel.registers, kernel.spillLoads], ["chisqKernel", 64, 16]);
 * ```
 */
export function readResources(text: string): KernelResources[] {
  const out: KernelResources[] = [];
  let name = "", architecture = "";
  let frame = [0, 0, 0];
  for (const line of text.split("\n")) {
    const entry = /Compiling entry function '(\w+)' for '(\w+)'/.exec(line);
    if (entry) [name, architecture] = [plainName(entry[1]!), entry[2]!];
    const spill = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    if (spill) frame = spill.slice(1).map(Number);
    const used = /Used (\d+) registers/.exec(line);
    if (used && name !== "") {
      const [stack, spillStores, spillLoads] = frame as [number, number, number];
      out.push({ kernel: name, architecture, registers: Number(used[1]), stack, spillStores, spillLoads });
      name = "";
      frame = [0, 0, 0];
    }
  }
  return out;
}

/** The last part of a mangled name, with its template argument if it has one: "interpolateKernel<4>". */
function plainName(mangled: string): string {
  let at = mangled.indexOf("_ZN") + 3;
  let name = mangled;
  for (let m; (m = /^(\d+)/.exec(mangled.slice(at))) !== null;) {
    const from = at + m[1]!.length;
    name = mangled.slice(from, from + Number(m[1]));
    at = from + Number(m[1]);
  }
  const axes = /^ILi(\d+)E/.exec(mangled.slice(at));
  return axes ? `${name}<${axes[1]}>` : name;
}

/** Kernels that spill and have not declared it. */
export function undeclaredSpills(resources: readonly KernelResources[]): KernelResources[] {
  return resources.filter((r) => r.spillStores + r.spillLoads > 0 && DECLARED_SPILLS[r.kernel] === undefined);
}

/** Compiles what is older than its sources. Throws where nvcc finds fault or warns. */
export async function buildCuda(force = false): Promise<CudaBuild> {
  writeGenerated();
  const out = libraryPath("cuda");
  const all = sources();
  if (!force && modified(LOG) > 0 && modified(out) > newest([...all, ...headers()])) {
    return { path: out, resources: readResources(Deno.readTextFileSync(LOG)) };
  }
  const objects = new URL("objects/cuda/", BUILD);
  Deno.mkdirSync(objects, { recursive: true });
  const codes = ARCHITECTURES.flatMap((a, i) => [
    "-gencode",
    `arch=compute_${a},code=${i + 1 < ARCHITECTURES.length ? `sm_${a}` : `[sm_${a},compute_${a}]`}`,
  ]);
  const flags = [
    "-O3",
    "-std=c++17",
    "-Xcompiler",
    "-fPIC,-fvisibility=hidden",
    "-Xptxas",
    "-v",
    "--Werror",
    "all-warnings",
    `-I${BUILD.pathname}`,
    ...codes,
  ];
  const objectOf = (source: string) => new URL(`${source.split("/").at(-1)}.o`, objects).pathname;
  const linked = all.map(objectOf);
  const runs = await compileAll(
    all,
    (source) => compiler("nvcc", [...flags, "-c", source, "-o", objectOf(source)]),
  );
  let text = "";
  for (const [i, ran] of runs.entries()) {
    if (ran === null) return { path: null, resources: [] };
    if (!ran.ok || /\bwarning\b/.test(ran.text)) throw new Error(`nvcc ${all[i]}\n${ran.text}`);
    text += ran.text;
  }
  const temporary = `${out}.${Deno.pid}.tmp.so`;
  const link = await compiler("nvcc", ["-shared", "-cudart", "static", ...codes, "-o", temporary, ...linked]);
  if (link === null || !link.ok) throw new Error(`nvcc: linking\n${link?.text}`);
  Deno.writeTextFileSync(LOG, text);
  Deno.renameSync(temporary, out);
  return { path: out, resources: readResources(text) };
}
