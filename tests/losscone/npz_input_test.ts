/** NPZ files of prepared sweeps: what they may hold, and what is told of one that is wrong. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../core/io/input_error.ts";
import { type NpyContent, readNpz, writeNpz } from "../../core/io/npy.ts";
import { DEFAULT_INPUT, openSweeps } from "../../core/losscone/input/open_sweeps.ts";
import { readSweeps } from "../../core/losscone/input/prepare.ts";
import { simulateSweeps } from "../../core/losscone/simulate.ts";
import { writeSimulatedSweeps } from "../../core/losscone/simulate_file.ts";
import { inFolder } from "../cli/run_cli.ts";
import { dataTest } from "../shared_data.ts";

const N = 4;

/** Arrays of simulated sweeps, as an NPZ holds them. */
async function arrays(folder: string): Promise<Map<string, NpyContent>> {
  const path = join(folder, "whole.npz");
  await writeSimulatedSweeps({ out: path, options: { sweeps: N, seed: 5 }, overwrite: true });
  return new Map(readNpz(path));
}

function refusal(folder: string, all: ReadonlyMap<string, NpyContent>, polarity: 1 | null = null): string {
  const path = join(folder, "bad.npz");
  writeNpz(path, all);
  try {
    openSweeps([path], { ...DEFAULT_INPUT, polarity });
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
  assert.fail("it was not refused");
}

Deno.test("an NPZ comes back as it was simulated, whichever sweeps are asked for", () =>
  inFolder(async (folder) => {
    await arrays(folder);
    const source = openSweeps([join(folder, "whole.npz")]);
    const raw = source.load([3, 1]).batch;
    const { batch, utc } = readSweeps(raw, source.theta, "missing");
    const whole = simulateSweeps({ sweeps: N, seed: 5 }).batch;
    for (const name of ["energy", "phi", "flux", "field", "polarity", "uSpacecraft"] as const) {
      const n = whole[name].length / N;
      const own = [3, 1].flatMap((i) => [...whole[name].subarray(i * n, (i + 1) * n)]);
      assert.deepEqual([...batch[name]], own, name);
    }
    assert.deepEqual(raw.heads.map(({ specNo }) => specNo), [3, 1]);
    assert.equal(utc[1]![0], "1999-04-29T00:01:20.000");
    assert.deepEqual(source.knows, { polarity: true, potential: true, time: true });
  }));

Deno.test("each key that must be there is named where it is missing", () =>
  inFolder(async (folder) => {
    const all = await arrays(folder);
    for (const key of ["energy", "theta", "solid_angle", "flux", "phi", "mag", "polarity"]) {
      const without = new Map([...all].filter(([name]) => name !== key));
      assert.match(
        refusal(folder, without),
        new RegExp(`bad\\.npz: lacks the key ${key}; .* needs energy, theta`),
      );
    }
    const few = new Map([...all].filter(([name]) => name !== "mag" && name !== "phi"));
    assert.match(refusal(folder, few), /lacks the keys phi, mag;/);
    const unpolar = new Map([...all].filter(([name]) => name !== "polarity"));
    writeNpz(join(folder, "unpolar.npz"), unpolar);
    const options = { ...DEFAULT_INPUT, polarity: -1 as const };
    assert.equal(openSweeps([join(folder, "unpolar.npz")], options).knows.polarity, false);
  }));

Deno.test("each array of a wrong shape is named, with the shape and the one expected", () =>
  inFolder(async (folder) => {
    const all = await arrays(folder);
    const wrong: Record<string, [number[], RegExp]> = {
      energy: [[14], /energy has shape \(14,\), expected \(15,\) or \(n, 15\) with n = 4/],
      theta: [[87], /theta has shape \(87,\), expected \(88,\)/],
      solid_angle: [[1, 88], /solid_angle has shape \(1, 88\), expected \(88,\)/],
      flux: [[N, 88, 15], /flux has shape \(4, 88, 15\), expected \(n, 15, 88\)$/],
      phi: [[N + 1, 15, 88], /phi has shape \(5, 15, 88\), expected \(n, 15, 88\)/],
      mag: [[3], /mag has shape \(3,\), expected \(n, 3\)/],
      polarity: [[N, 2], /polarity has shape \(4, 2\), expected \(n,\)/],
      u_spacecraft: [[1], /u_spacecraft has shape \(1,\)/],
      utc: [[N, 3], /utc has shape \(4, 3\)/],
    };
    for (const [key, [shape, pattern]] of Object.entries(wrong)) {
      const n = shape.reduce((a, b) => a * b, 1);
      const data = key === "utc" ? new Array<string>(n).fill("") : new Float64Array(n);
      assert.match(refusal(folder, new Map([...all, [key, { shape, data }]])), pattern);
    }
  }));

Deno.test("an unknown theta, equal numbers, words where numbers belong: told", () =>
  inFolder(async (folder) => {
    const all = await arrays(folder);
    const theta = Float64Array.from(all.get("theta")!.data as Float64Array);
    theta[5] = 30;
    assert.match(
      refusal(folder, new Map([...all, ["theta", { shape: [88], data: theta }]])),
      /theta of cell 5 is 30/,
    );
    const twice = { shape: [N], data: Int32Array.of(1, 2, 2, 3) };
    assert.match(
      refusal(folder, new Map([...all, ["spec_no", twice]])),
      /spec_no holds 3 numbers for 4 sweeps/,
    );
    const words = { shape: [N], data: ["a", "b", "c", "d"] };
    assert.match(
      refusal(folder, new Map([...all, ["polarity", words]])),
      /polarity.*holds strings, expected numbers/,
    );
    const numbers = { shape: [N], data: new Float64Array(N) };
    assert.match(refusal(folder, new Map([...all, ["utc", numbers]])), /utc holds <f8, expected strings/);
  }));

Deno.test("energies and polarities by row, azimuths for all rows or for all sweeps", () =>
  inFolder(async (folder) => {
    const all = await arrays(folder);
    const phi = all.get("phi")!.data as Float64Array, energy = all.get("energy")!.data as Float64Array;
    const more = new Map<string, NpyContent>([
      ...all,
      ["phi", { shape: [88], data: phi.slice(0, 88) }],
      ["energy", {
        shape: [N, 15],
        data: Float64Array.from({ length: N * 15 }, (_, i) => energy[i % 15]! + i),
      }],
      ["polarity", { shape: [N, 15], data: Float64Array.from({ length: N * 15 }, (_, i) => i % 3 - 1) }],
    ]);
    const path = join(folder, "rows.npz");
    writeNpz(path, more);
    const source = openSweeps([path]);
    const { batch } = readSweeps(source.load([2]).batch, source.theta, "missing");
    for (let r = 0; r < 15; r++) {
      assert.equal(batch.energy[r], energy[r]! + 30 + r);
      assert.equal(batch.polarity[r], (30 + r) % 3 - 1);
      assert.deepEqual(batch.phi.slice(88 * r, 88 * r + 88), phi.slice(0, 88));
    }
  }));

Deno.test("an NPZ is given alone, without a date, and must not be damaged", () =>
  inFolder(async (folder) => {
    await arrays(folder);
    const path = join(folder, "whole.npz");
    assert.throws(
      () => openSweeps([path, path]),
      /whole\.npz: an NPZ of prepared sweeps is fitted by itself/,
    );
    assert.throws(() => openSweeps([path], { ...DEFAULT_INPUT, year: 1999 }), /--year chooses among tables/);
    const bytes = Deno.readFileSync(path);
    Deno.writeFileSync(path, bytes.subarray(0, bytes.length >> 1));
    assert.throws(() => openSweeps([path]), InputError);
  }));

Deno.test("an NPZ that memory is not for is refused in one sentence, not by the engine", () =>
  inFolder((folder) => {
    const path = join(folder, "year.npz");
    Deno.writeFileSync(path, Uint8Array.of(0x50, 0x4b, 3, 4));
    // a hole: it takes no room on the disk
    Deno.truncateSync(path, 2 ** 32 + 1);
    assert.throws(
      () => openSweeps([path]),
      (error) =>
        error instanceof InputError && /year\.npz: has 4294967297 bytes; .* divide it/.test(error.message),
    );
    return Promise.resolve();
  }));

dataTest("the reference's sweeps are read", ["losscone/spectra_inputs.npz"], (path) => {
  const source = openSweeps([path]);
  assert.equal(source.sweeps, readNpz(path, ["polarity"]).get("polarity")!.shape[0]);
  assert.equal(source.head(7).specNo, 7);
});
