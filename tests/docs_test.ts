/** What the documents promise is there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { twinspec } from "./cli/run_cli.ts";
import { undocumented } from "../scripts/check_docs.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

Deno.test("every exported function of core and cli has a comment", () => {
  assert.deepEqual(undocumented(), []);
});

Deno.test("README: every file it links to is there", () => {
  const links = [...read("README.md").matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, path]) => path!);
  const local = links.filter((path) => !/^[a-z]+:/.test(path));
  assert.ok(local.length > 0);
  for (const path of local) assert.ok(existsSync(new URL(`../${path}`, import.meta.url)), path);
});

/** Commands of the program; the later ones may not be there yet. */
const COMMANDS = [
  ["fit"],
  ["simulate"],
  ["templates", "import"],
  ["templates", "info"],
  ["plot"],
  ["extract"],
  ["extract", "simulate"],
  ["extract", "compare"],
  ["losscone", "fit"],
  ["losscone", "kappa"],
  ["losscone", "simulate"],
  ["losscone", "plot"],
  ["devices"],
  ["parity"],
];

/** What explains the commands, without comments. */
const EXPLAINED = ["README.md", "docs/extraction.md", "docs/losscone.md"];

Deno.test("README and pages of jobs: every option of every command is named, and no other", async () => {
  const readme = EXPLAINED.map(read).join("\n").replace(/<!--[^]*?-->|`deno run [^`]*`/g, "");
  const options = (text: string) => [...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([option]) => option);
  const named = new Set(options(readme));
  // of npx, of deno task, and of every command
  const known = new Set(["--yes", "--config", "--help"]);
  for (const command of COMMANDS) {
    const { code, out } = await twinspec(...command, "--help");
    const called = new RegExp(`^twinspec ${command.join(" ")}\\b`, "m").test(readme);
    assert.equal(called, code === 0, `README shows ${command.join(" ")}: ${called}`);
    for (const option of code === 0 ? options(out) : []) {
      known.add(option);
      assert.ok(named.has(option), `README lacks ${option} of ${command.join(" ")}`);
    }
  }
  assert.deepEqual([...named].filter((option) => !known.has(option)), []);
});

Deno.test("README: every task it calls is in deno.json", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  const called = [...read("README.md").matchAll(/(?:deno@2\.9\.6|deno) task ([a-z][a-z:]*)/g)].map((
    [, name],
  ) => name!);
  assert.ok(called.includes("demo") && called.includes("test"));
  for (const name of called) assert.ok(name in tasks, `no task ${name}`);
});
