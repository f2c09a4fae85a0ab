/**
 * Finds exported functions of core/ and cli/ that no comment explains: `deno run -A scripts/check_docs.ts` prints one
 * line each and exits 1 where there are any. The AssemblyScript core is described by the kernel table.
 */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const ROOMS = ["core", "cli"];
const ELSEWHERE = join("core", "assembly");

interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly location: { readonly filename: string; readonly line: number };
  readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly unknown[] };
}

interface Page {
  readonly nodes: Readonly<
    Record<string, { readonly symbols: readonly { name: string; declarations: readonly Declaration[] }[] }>
  >;
}

/** Source files of the rooms, relative to the repository. */
export function sources(): string[] {
  return ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" }).map((name) => join(room, name))
  ).filter((path) => path.endsWith(".ts") && !path.startsWith(ELSEWHERE)).sort();
}

/** `file:line name` of every exported function without a comment. */
export function undocumented(): string[] {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...sources()],
    cwd: ROOT,
  }).outputSync();
  if (!success) throw new Error(`deno doc: ${new TextDecoder().decode(stderr)}`);
  const page: Page = JSON.parse(new TextDecoder().decode(stdout));
  const found = new Set<string>();
  for (const { symbols } of Object.values(page.nodes)) {
    for (const { name, declarations } of symbols) {
      for (const { kind, declarationKind, location, jsDoc } of declarations) {
        if (declarationKind !== "export" || kind !== "function") continue;
        if ((jsDoc?.doc ?? "").trim() !== "" || (jsDoc?.tags ?? []).length > 0) continue;
        const file = relative(ROOT, fileURLToPath(location.filename));
        found.add(`${file}:${location.line + 1} ${name}`);
      }
    }
  }
  return [...found].sort();
}

if (import.meta.main) {
  const missing = undocumented();
  for (const line of missing) console.error(`no comment: ${line}`);
  Deno.exit(missing.length > 0 ? 1 : 0);
}
