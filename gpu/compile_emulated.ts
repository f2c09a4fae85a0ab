/** Builds libtwinspec_emulated.so: the CUDA sources by a C++ compiler. */
import {
  BUILD,
  compiler,
  headers,
  libraryPath,
  modified,
  newest,
  sources,
  writeGenerated,
} from "./compile.ts";

const FLAGS = [
  "-std=c++17",
  "-fPIC",
  // the order of operations is the source's, as in the WASM twin
  "-ffp-contract=off",
  "-fvisibility=hidden",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Wno-unknown-pragmas",
  "-DTWINSPEC_EMULATED",
  `-I${BUILD.pathname}`,
];

export interface EmulatedBuild {
  /** Path of the library; null where there is no C++ compiler. */
  readonly path: string | null;
  /** What was compiled anew. */
  readonly compiled: readonly string[];
}

/**
 * Compiles what is older than its sources. Throws where the compiler finds fault.
 *
 * @param options.sanitize - under address and undefined-behaviour sanitizers, into a library of its own
 * @param options.defines - macros to set, for a library of its own named by them: broken kernels as tests of the tests
 */
export async function buildEmulated(
  options: { readonly sanitize?: boolean; readonly defines?: readonly string[]; readonly force?: boolean } =
    {},
): Promise<EmulatedBuild> {
  writeGenerated();
  const defines = options.defines ?? [];
  const variant = [...defines, ...(options.sanitize ? ["sanitize"] : [])].join("_").toLowerCase();
  const out = variant === ""
    ? libraryPath("emulated")
    : new URL(`libtwinspec_emulated_${variant}.so`, BUILD).pathname;
  const cxx = Deno.env.get("CXX") ?? "g++";
  const objects = new URL(`objects/${variant === "" ? "plain" : variant}/`, BUILD);
  Deno.mkdirSync(objects, { recursive: true });
  const common = newest(headers());
  const flags = [
    ...FLAGS,
    ...defines.map((d) => `-D${d}`),
    ...(options.sanitize
      ? [
        "-O1",
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=undefined",
        "-fno-omit-frame-pointer",
      ]
      : ["-O2"]),
  ];
  const all = [
    ...sources(),
    ...["fibers.cpp", "runtime.cpp"].map((name) => new URL(`emulated/${name}`, import.meta.url).pathname),
  ];
  const stale: { source: string; object: string }[] = [];
  const linked: string[] = [];
  for (const source of all) {
    const object = new URL(`${source.split("/").at(-1)}.o`, objects).pathname;
    linked.push(object);
    if (options.force || modified(object) <= Math.max(common, modified(source))) {
      stale.push({ source, object });
    }
  }
  const compiled: string[] = [];
  for (let i = 0; i < stale.length; i += 2) {
    const pair = stale.slice(i, i + 2);
    const runs = await Promise.all(
      pair.map(({ source, object }) =>
        compiler(cxx, [...flags, "-x", "c++", "-c", source, "-o", `${object}.${Deno.pid}.tmp`])
      ),
    );
    for (const [k, ran] of runs.entries()) {
      if (ran === null) return { path: null, compiled: [] };
      if (!ran.ok) throw new Error(`${cxx} ${pair[k]!.source}\n${ran.text}`);
      Deno.renameSync(`${pair[k]!.object}.${Deno.pid}.tmp`, pair[k]!.object);
      compiled.push(pair[k]!.source);
    }
  }
  if (compiled.length > 0 || modified(out) < newest(linked)) {
    const temporary = `${out}.${Deno.pid}.tmp`;
    const link = await compiler(cxx, [
      "-shared",
      "-Wl,--no-undefined",
      ...(options.sanitize ? ["-fsanitize=address,undefined", "-Wl,--unresolved-symbols=ignore-all"] : []),
      "-o",
      temporary,
      ...linked,
      "-lpthread",
    ]);
    if (link === null) return { path: null, compiled: [] };
    if (!link.ok) throw new Error(`${cxx}: linking\n${link.text}`);
    Deno.renameSync(temporary, out);
  }
  return { path: out, compiled };
}
