/** The kernels under address and undefined-behaviour sanitizers, every array an allocation of its own. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { buildEmulated, type Mutant } from "../../gpu/compile_emulated.ts";
import { emulated } from "./emulated.ts";

/** Where the compiler keeps a sanitizer's runtime; null where it has none. */
function runtime(name: string): string | null {
  if (emulated === null) return null;
  const command = new Deno.Command(Deno.env.get("CXX") ?? "g++", { args: [`-print-file-name=${name}`] });
  const path = new TextDecoder().decode(command.outputSync().stdout).trim();
  return path.startsWith("/") ? path : null;
}

const runtimes = ["libasan.so", "libubsan.so"].map(runtime);
const missing = emulated === null
  ? "no C++ compiler"
  : runtimes.includes(null)
  ? "no sanitizer runtime"
  : null;

async function run(path: string, ...kernels: string[]): Promise<{ success: boolean; text: string }> {
  const program = fileURLToPath(new URL("./sanitized_run.ts", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, path, ...kernels],
    env: { LD_PRELOAD: runtimes.join(" "), ASAN_OPTIONS: "detect_leaks=0" },
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

function sanitizerTest(name: string, fn: () => Promise<void>): void {
  const ignore = missing !== null;
  Deno.test({ name: ignore ? `SKIP ${name} (${missing})` : name, ignore, fn });
}

sanitizerTest("every kernel and whole fits are clean under sanitizers", async () => {
  const { path } = await buildEmulated({ sanitize: true });
  const { success, text } = await run(path!);
  assert.ok(success && text.includes("clean"), text.slice(0, 2000));
});

const OVERFLOWS: readonly (Mutant & { readonly kernel: string })[] = [
  {
    name: "reads_beyond_an_array",
    file: "rotation.cuh",
    find: "(j + k < N ? y[j + k] : 0.0)",
    replace: "(j + k <= N ? y[j + k] : 0.0)",
    source: "rotation.cu",
    kernel: "rotate",
  },
  {
    name: "writes_beyond_shared_memory",
    file: "ccf.cu",
    find: "const size_t shared = BLOCK * (sizeof(double) + sizeof(int));",
    replace: "const size_t shared = BLOCK * sizeof(double);",
    source: "ccf.cu",
    kernel: "ccf_scan",
  },
];

for (const mutant of OVERFLOWS) {
  sanitizerTest(`the sanitizer notices a kernel that ${mutant.name.replaceAll("_", " ")}`, async () => {
    const { path } = await buildEmulated({ sanitize: true, mutant });
    const { success, text } = await run(path!, mutant.kernel);
    assert.ok(!success && text.includes("heap-buffer-overflow"), text.slice(0, 2000));
  });
}
