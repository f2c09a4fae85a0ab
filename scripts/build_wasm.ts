/**
 * Compiles core/assembly into core/wasm/build/core.wasm, unless it is newer than its sources.
 * `--force` compiles anyway; `--debug` keeps names for profiling.
 */
import asc from "assemblyscript/asc";

const root = new URL("../", import.meta.url);
const out = new URL("core/wasm/build/core.wasm", root);
const sources = new URL("core/assembly/", root);

function newest(folder: URL): number {
  let time = 0;
  for (const entry of Deno.readDirSync(folder)) {
    const at = new URL(entry.name, folder);
    if (entry.isFile && entry.name.endsWith(".ts")) {
      time = Math.max(time, Deno.statSync(at).mtime?.getTime() ?? 0);
    }
  }
  return time;
}

function modified(file: URL): number {
  try {
    return Deno.statSync(file).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}

const force = Deno.args.includes("--force");
if (force || modified(out) <= newest(sources)) {
  Deno.mkdirSync(new URL("./", out), { recursive: true });
  const temporary = `${out.pathname}.${Deno.pid}.tmp`;
  const { error, stderr } = await asc.main([
    new URL("index.ts", sources).pathname,
    "--outFile",
    temporary,
    "-O3",
    "--enable",
    "simd",
    "--runtime",
    "stub",
    "--use",
    "abort=",
    ...(Deno.args.includes("--debug") ? ["--debug"] : []),
  ]);
  if (error) {
    console.error(stderr.toString());
    console.error(`build:wasm failed: ${error.message}`);
    Deno.exit(1);
  }
  Deno.renameSync(temporary, out.pathname);
}
