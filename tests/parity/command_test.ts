import assert from "node:assert/strict";
import { type Streams, Terminal } from "../../cli/terminal.ts";
import { runDevices } from "../../cli/commands/devices_run.ts";
import type { ParityCommand } from "../../cli/commands/parity.ts";
import { runParity } from "../../cli/commands/parity_run.ts";
import { DeviceError } from "../../gpu/errors.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulatedTest } from "../gpu/emulated.ts";

function terminal(json = true): { terminal: Terminal; out: string[]; err: string[] } {
  const out: string[] = [], err: string[] = [];
  const streams: Streams = { out: (t) => out.push(t), err: (t) => err.push(t), interactive: false };
  return { terminal: new Terminal({ logLevel: "info", quiet: false, json }, streams), out, err };
}

function command(more: Partial<ParityCommand> = {}): ParityCommand {
  const base = { command: "parity", target: "emulated", kernel: undefined, cases: 0, seed: 1 } as const;
  return { ...base, logLevel: "info", quiet: false, json: true, ...more };
}

emulatedTest("parity writes the agreed document and exits 0", (library) => {
  const { terminal: term, out } = terminal();
  assert.equal(runParity(command(), term, () => new GpuTarget("emulated", { library })), 0);
  const document = JSON.parse(out.join(""));
  assert.equal(document.target, "emulated");
  assert.ok(document.kernels.length > 15 && document.fits.length === 8);
  for (const { name, cases, worst, tolerance, ok } of document.kernels) {
    assert.ok(ok && cases > 0 && worst <= tolerance, name);
  }
  assert.ok(document.fits.every((fit: { ok: boolean }) => fit.ok));
});

emulatedTest("parity of one kernel prints a row for people", (library) => {
  const { terminal: term, out } = terminal(false);
  const code = runParity(command({ kernel: "rotate" }), term, () => new GpuTarget("emulated", { library }));
  assert.equal(code, 0);
  assert.equal(out.length, 2);
  assert.match(out[1]!, /rotate +\d+ .* ok/);
});

Deno.test("parity with an absent target is exit 3 and one sentence", () => {
  const { terminal: term, out, err } = terminal();
  const code = runParity(command({ target: "cuda" }), term, () => {
    throw new DeviceError("no usable NVIDIA driver", 1);
  });
  assert.equal(code, 3);
  assert.deepEqual([out.length, err], [0, ["error: cuda: no usable NVIDIA driver\n"]]);
});

Deno.test("devices lists WASM first and never fails", () => {
  const { terminal: term, out } = terminal();
  assert.equal(runDevices({ command: "devices", logLevel: "info", quiet: false, json: true }, term), 0);
  const rows = JSON.parse(out.join(""));
  assert.equal(rows[0].target, "wasm");
  assert.ok(
    rows.every((row: { usable: boolean; reason: string | null }) => row.usable || row.reason !== null),
  );
});
