/** Files of this project's writer, opened by astropy; SKIP where the system's Python has none. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { withFolder } from "../io/temporary_folder.ts";
import { makeZoo } from "./make_fits.ts";

const python = "/usr/bin/python3";
const present = spawnSync(python, ["-c", "import astropy"]).status === 0;

Deno.test({
  name: present
    ? "astropy verifies every file of the writer"
    : `SKIP files of the writer in astropy (${python} has none)`,
  ignore: !present,
  fn: () =>
    withFolder((folder) => {
      const script = fileURLToPath(new URL("astropy_check.py", import.meta.url));
      const run = spawnSync(python, [script, ...makeZoo(folder)], { encoding: "utf8" });
      assert.equal(run.status, 0, run.stderr);
    }),
});
