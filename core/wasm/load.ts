/** Finds and compiles the WASM core; built by `deno task build:wasm` (the other tasks do it as needed). */
import { WasmTarget } from "./target.ts";

const CORE = new URL("./build/core.wasm", import.meta.url);

/** Compiles the core once; the module can be posted to workers. */
export function compileCore(): WebAssembly.Module {
  let code: Uint8Array<ArrayBuffer>;
  try {
    code = new Uint8Array(Deno.readFileSync(CORE));
  } catch (cause) {
    throw new Error("the WASM core is not built: run `deno task build:wasm`", { cause });
  }
  return new WebAssembly.Module(code);
}

/** A new WASM target with a core compiled for it alone. */
export function loadWasmTarget(): WasmTarget {
  return new WasmTarget(compileCore());
}
