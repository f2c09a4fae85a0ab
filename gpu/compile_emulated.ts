/** Builds libtwinspec_emulated.so: the CUDA sources by a C++ compiler. */
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

/** A kernel broken on purpose, to see whether the tests notice. */
export interface Mutant {
  readonly name: string;
  /** The file that is broken, in gpu/kernels. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The source that is compiled with it. */
  readonly source: string;
}

export interface EmulatedOptions {
  /** Under address and undefined-behaviour sanitizers, into a library of its own. */
  readonly sanitize?: boolean;
  readonly force?: boolean;
  /** With fused multiply-add, as GPUs compute, into a library of its own. */
  readonly fused?: boolean;
  /** Broken in one place, into a library of its own. */
  readonly mutant?: Mutant;
}

/** A folder with the broken file, the source that includes it and all headers; the path of that source. */
function writeMutant({ name, file, find, replace, source }: Mutant): string {
  const kernels = new URL("kernels/", import.meta.url);
  const folder = new URL(`mutants/${name}/`, BUILD);
  Deno.mkdirSync(folder, { recursive: true });
  const text = Deno.readTextFileSync(new URL(file, kernels));
  if (text.split(find).length !== 2) throw new Error(`mutant ${name}: "${find}" must stand once in ${file}`);
  // every header beside it, so that none includes the sound one
  for (const entry of Deno.readDirSync(kernels)) {
    if (entry.name === source || entry.name.endsWith(".cuh")) {
      Deno.copyFileSync(new URL(entry.name, kernels), new URL(entry.name, folder));
    }
  }
  Deno.writeTextFileSync(new URL(file, folder), text.replace(find, () => replace));
  return new URL(source, folder).pathname;
}

/** Compiles what is older than its sources. Throws where the compiler finds fault. */
export async function buildEmulated(options: EmulatedOptions = {}): Promise<EmulatedBuild> {
  writeGenerated();
  const { mutant } = options;
  const variant = options.sanitize ? "sanitize" : options.fused ? "fused" : "";
  const suffix = `${variant === "" ? "" : `_${variant}`}${mutant ? `_${mutant.name}` : ""}`;
  const out = libraryPath("emulated").replace(/\.so$/, `${suffix}.so`);
  const cxx = Deno.env.get("CXX") ?? "g++";
  const objects = new URL(`objects/${variant === "" ? "plain" : variant}/`, BUILD);
  Deno.mkdirSync(objects, { recursive: true });
  const common = newest(headers());
  const flags = [
    ...FLAGS,
    ...(options.sanitize
      ? [
        "-O1",
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=undefined",
        "-fno-omit-frame-pointer",
      ]
      : ["-O2"]),
    ...(options.fused ? ["-ffp-contract=fast", "-mfma"] : []),
  ];
  const all = [
    ...sources(),
    ...["fibers.cpp", "runtime.cpp"].map((name) => new URL(`emulated/${name}`, import.meta.url).pathname),
  ];
  const stale: { source: string; object: string }[] = [];
  const linked: string[] = [];
  for (const source of all) {
    if (mutant !== undefined && source.endsWith(`/kernels/${mutant.source}`)) {
      const broken = writeMutant(mutant);
      // first: of inline functions that several sources hold, the linker takes the first
      linked.unshift(`${broken}.o`);
      stale.push({ source: broken, object: `${broken}.o` });
      continue;
    }
    const object = new URL(`${source.split("/").at(-1)}.o`, objects).pathname;
    linked.push(object);
    if (options.force || modified(object) <= Math.max(common, modified(source))) {
      stale.push({ source, object });
    }
  }
  const objectOf = new Map(stale.map(({ source, object }) => [source, object]));
  const compiled = [...objectOf.keys()];
  const runs = await compileAll(compiled, async (source) => {
    const object = objectOf.get(source)!, temporary = `${object}.${Deno.pid}.tmp`;
    const ran = await compiler(cxx, [...flags, "-x", "c++", "-c", source, "-o", temporary]);
    if (ran?.ok) Deno.renameSync(temporary, object);
    return ran;
  });
  for (const [i, ran] of runs.entries()) {
    if (ran === null) return { path: null, compiled: [] };
    if (!ran.ok) throw new Error(`${cxx} ${compiled[i]}\n${ran.text}`);
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
