/** Runs over sweeps: what comes out, what goes on after a kill, what a bad sweep does to its neighbours. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FitsFile } from "../../core/io/fits_read.ts";
import { InputError } from "../../core/io/input_error.ts";
import { type NpyArray, readNpz, writeNpz } from "../../core/io/npy.ts";
import { Journal } from "../../core/journal.ts";
import { makeLossconeFitter } from "../../core/losscone/fitter.ts";
import { DEFAULT_INPUT } from "../../core/losscone/input/open_sweeps.ts";
import { DEFAULT_KAPPA_OPTIONS } from "../../core/losscone/kappa_options.ts";
import { DEFAULT_LOSSCONE_OPTIONS } from "../../core/losscone/options.ts";
import { fitSweeps } from "../../core/losscone/run.ts";
import type { LossconeEvents, LossconeRequest } from "../../core/losscone/run_types.ts";
import { MIXED, simulateSweeps } from "../../core/losscone/simulate.ts";
import { writeSimulatedSweeps } from "../../core/losscone/simulate_file.ts";
import { lossconeOnWasm } from "../../core/losscone/wasm_targets.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { inFolder } from "../cli/run_cli.ts";
import { editLines, simulatedTable, withColumns } from "./table_files.ts";

function request(inputs: string[], out: string, more: Partial<LossconeRequest> = {}): LossconeRequest {
  return {
    wanted: "losscone",
    inputs,
    input: DEFAULT_INPUT,
    ephemeris: null,
    options: DEFAULT_LOSSCONE_OPTIONS,
    kappa: DEFAULT_KAPPA_OPTIONS,
    potential: { kind: "input" },
    out,
    target: "wasm",
    workers: 0,
    batch: 4,
    overwrite: false,
    commandLine: "a test",
    ...more,
  };
}

async function simulated(folder: string, sweeps: number, mixed = false): Promise<string> {
  const out = join(folder, "sweeps.npz");
  const options = { sweeps, seed: 3, ...(mixed ? { groups: MIXED } : {}) };
  await writeSimulatedSweeps({ out, options, overwrite: true });
  return out;
}

type Arrays = Map<string, NpyArray>;
const numbers = (all: Arrays, key: string) =>
  [...all.get(key)!.data as ArrayLike<number> & Iterable<number>].map(Number);
const strings = (all: Arrays, key: string) => all.get(key)!.data as string[];
const without = (all: Arrays, ...keys: string[]) => new Map([...all].filter(([key]) => !keys.includes(key)));

/** Keys and dtypes that programs of the reference read. */
const REFERENCE: Record<string, string> = {
  rows_spec_no: "<i8",
  rows_utc: "<U64",
  rows_time: "<U64",
  ...Object.fromEntries(
    [
      "spacecraft_latitude",
      "spacecraft_longitude",
      "projection_latitude",
      "projection_longitude",
      "spacecraft_potential",
      "projected_potential",
      "bs_over_bm",
      "beam_amp",
      "fit_chi2",
      "electron_temperature",
      "electron_density",
      "kappa_value",
    ].map((name) => [`rows_${name}`, "<f8"]),
  ),
  rows_spacecraft_in_sun: "|b1",
  rows_projection_in_sun: "|b1",
  rows_projection_polarity: "|i1",
  rows_environment_class: "|i1",
  spec_spec_no: "<i8",
  spec_time_start: "<U64",
  spec_time_end: "<U64",
  spec_has_fit: "|b1",
  spec_row_count: "<i8",
  spec_u_surface: "<f8",
  spec_bs_over_bm: "<f8",
  spec_fit_chi2: "<f8",
  spec_electron_temperature: "<f8",
  spec_electron_density: "<f8",
  spec_environment_class: "|i1",
};

Deno.test("the output has the reference's keys, and says what the fitter said", () =>
  inFolder(async (folder) => {
    const input = await simulated(folder, 6), out = join(folder, "fit.npz");
    const summary = await fitSweeps(request([input], out));
    assert.deepEqual(readdirSync(folder).sort(), ["fit.fits", "fit.npz", "sweeps.npz"]);
    const all = readNpz(out);
    for (const [key, dtype] of Object.entries(REFERENCE)) {
      assert.equal(all.get(key)?.dtype, dtype, key);
      assert.deepEqual(all.get(key)!.shape, [key.startsWith("rows_") ? 90 : 6], key);
    }
    const fits = makeLossconeFitter(loadWasmTarget(), DEFAULT_LOSSCONE_OPTIONS)
      .fit(simulateSweeps({ sweeps: 6, seed: 3 }).batch);
    assert.deepEqual(numbers(all, "spec_u_surface"), fits.map(({ u }) => u));
    assert.deepEqual(
      numbers(all, "rows_projected_potential"),
      fits.flatMap(({ u }) => new Array(15).fill(u)),
    );
    assert.deepEqual(numbers(all, "spec_valid_cells"), fits.map(({ validCells }) => validCells));
    assert.deepEqual(
      numbers(all, "spec_u_identifiable"),
      fits.map(({ identifiable }) => Number(identifiable)),
    );
    for (const kind of ["plateau", "confidence"] as const) {
      const [low, high] = [numbers(all, `spec_${kind}_low`), numbers(all, `spec_${kind}_high`)];
      const offsets = numbers(all, `spec_${kind}_offsets`);
      const sets = fits.map((_, i) => low.map((x, k) => [x, high[k]!]).slice(offsets[i], offsets[i + 1]));
      assert.deepEqual(sets, fits.map((fit) => fit[kind].map((interval) => [...interval])));
    }
    assert.deepEqual(strings(all, "spec_reason"), new Array(6).fill("fitted"));
    assert.equal(summary.fitted, 6);
    const provenance = JSON.parse(strings(all, "provenance")[0]!);
    assert.equal(provenance.command, "a test");
    assert.deepEqual(provenance.inputs, [input]);
    using table = FitsFile.open(join(folder, "fit.fits"));
    assert.deepEqual([...table.table("SWEEPS").float64("U_SURFACE")], fits.map(({ u }) => u));
    assert.equal(
      table.table("INTERVALS").rows,
      fits.reduce((n, f) => n + f.plateau.length + f.confidence.length, 0),
    );
  }));

Deno.test("Lillis: the keys of its quality control", () =>
  inFolder(async (folder) => {
    const input = await simulated(folder, 3), out = join(folder, "fit.npz");
    await fitSweeps(request([input], out, { options: { ...DEFAULT_LOSSCONE_OPTIONS, method: "lillis" } }));
    const all = readNpz(out);
    for (const part of ["u_width_lhs_dchi2red_0p001", "u_is_identifiable_lhs_dchi2red_0p001"]) {
      assert.deepEqual(all.get(`spec_${part}`)!.shape, [3]);
      assert.deepEqual(all.get(`rows_${part}`)!.shape, [45]);
    }
    assert.deepEqual(numbers(all, "u_width_lhs_delta_reduced"), [0.001]);
    assert.deepEqual(all.get("u_width_lhs_identifiable_max_v")!.shape, []);
    assert.deepEqual(numbers(all, "u_width_lhs_identifiable_max_v"), [200]);
  }));

Deno.test("answers depend neither on the batch nor on the workers", () =>
  inFolder(async (folder) => {
    const input = await simulated(folder, 11, true);
    const outs: Arrays[] = [];
    for (const [i, more] of [{ batch: 1 }, { batch: 11 }, { batch: 3, workers: 2 }].entries()) {
      const out = join(folder, `${i}.npz`);
      await fitSweeps(request([input], out, more));
      outs.push(readNpz(out));
    }
    assert.deepEqual(outs[1], outs[0]);
    assert.deepEqual(outs[2], outs[0]);
  }));

Deno.test("an aborted run goes on where it stopped, and ends as if nothing had been", () =>
  inFolder(async (folder) => {
    const input = await simulatedTable(folder, 20, 5, MIXED);
    const calm = join(folder, "calm.npz"), out = join(folder, "fit.npz");
    await fitSweeps(request([input], calm, { batch: 7 }));
    const abort = new AbortController();
    let reached = 0;
    const stop: LossconeEvents = {
      onProgress: (done) => {
        reached = done;
        if (done >= 8) abort.abort(new Error("stop"));
      },
    };
    await assert.rejects(fitSweeps(request([input], out), stop, abort.signal), /stop/);
    assert.ok(reached >= 8 && reached < 20);
    assert.ok(!existsSync(out) && existsSync(`${out}.journal`));
    // A kill in the middle of a write tears the last record.
    const journal = readFileSync(`${out}.journal`);
    writeFileSync(`${out}.journal`, journal.subarray(0, journal.length - 100));
    writeFileSync(`${out}.tmp-1-0`, "as if killed while it wrote");
    const starts: number[] = [];
    await fitSweeps(request([input], out, { batch: 5 }), {
      onStart: (total, before) => starts.push(total, before),
    });
    assert.equal(starts[0], 20);
    assert.ok(starts[1]! >= 4 && starts[1]! < 20, `${starts[1]} were kept`);
    const [a, b] = [readNpz(calm), readNpz(out)];
    assert.deepEqual(without(b, "provenance"), without(a, "provenance"));
    assert.deepEqual(numbers(b, "spec_spec_no"), Array.from({ length: 20 }, (_, i) => i));
    assert.deepEqual(readdirSync(folder).filter((name) => /journal|tmp|lock/.test(name)), []);
  }));

Deno.test("other options or another input do not go on from the journal", () =>
  inFolder(async (folder) => {
    const input = await simulated(folder, 8), out = join(folder, "fit.npz");
    const identities = new Set<string>();
    const options = { ...DEFAULT_LOSSCONE_OPTIONS, incident: "max" as const };
    const constant = { kind: "constant", volts: 3 } as const;
    for (const more of [{}, { options }, { potential: constant }, { wanted: "kappa" as const }]) {
      await fitSweeps(request([input], out, { ...more, overwrite: true }));
      identities.add(JSON.parse(strings(readNpz(out), "provenance")[0]!).identity);
    }
    await simulated(folder, 7);
    await fitSweeps(request([input], out, { overwrite: true }));
    identities.add(JSON.parse(strings(readNpz(out), "provenance")[0]!).identity);
    assert.equal(identities.size, 5);
    using other = new Journal(`${out}.journal`, "0".repeat(64), 8);
    other.append([{ item: 0, bytes: new Uint8Array(4) }]);
    const notices: string[] = [];
    await fitSweeps(request([input], out, { overwrite: true }), {
      onNotice: (_, text) => notices.push(text),
    });
    assert.match(notices.join("\n"), /belongs to a run with other options/);
  }));

Deno.test("a sweep that makes the fit throw does not spoil its neighbours", () =>
  inFolder(async (folder) => {
    const input = await simulated(folder, 8), out = join(folder, "fit.npz");
    const choose: typeof lossconeOnWasm = (target, sweeps) => ({
      ...lossconeOnWasm(target, sweeps),
      worker: new URL("./faulty_worker.ts", import.meta.url),
    });
    const summary = await fitSweeps(request([input], out, { workers: 1, batch: 8 }), {}, undefined, choose);
    assert.deepEqual(summary.failed, [{ specNo: 3, why: "thrown for a test" }]);
    assert.equal(summary.fitted, 7);
    const all = readNpz(out);
    assert.deepEqual(numbers(all, "spec_has_fit"), [1, 1, 1, 0, 1, 1, 1, 1]);
    assert.equal(strings(all, "spec_reason")[3], "thrown for a test");
    assert.equal(strings(all, "spec_time_start")[3], "1999-04-29T00:04:00.000");
  }));

Deno.test("what leaves a sweep without an answer is said, and its neighbours have one", () =>
  inFolder(async (folder) => {
    const input = await simulated(folder, 6), out = join(folder, "fit.npz");
    const all = readNpz(input);
    const edit = (key: string) => all.get(key)!.data as Float64Array;
    const cells = 15 * 88;
    edit("flux").fill(NaN, 0, cells);
    edit("flux").fill(9.999e-99, cells, 2 * cells);
    edit("flux").fill(0, 2 * cells, 3 * cells);
    edit("u_spacecraft")[3] = 30000;
    edit("u_spacecraft")[4] = NaN;
    (all.get("polarity")!.data as unknown as Int8Array)[5] = 0;
    writeNpz(input, all);
    await fitSweeps(request([input], out));
    assert.deepEqual(
      strings(readNpz(out), "spec_reason"),
      [
        "no data: every cell is NaN, a fill value or 0",
        "no data: every cell is NaN, a fill value or 0",
        "no data: every cell is NaN, a fill value or 0",
        "all rows are below the spacecraft potential",
        "no spacecraft potential",
        "no polarity: the field line meets no Moon, or the place is unknown",
      ],
    );
    const reference = { options: { ...DEFAULT_LOSSCONE_OPTIONS, fill: "reference" as const } };
    await fitSweeps(request([input], out, { ...reference, overwrite: true }));
    assert.notEqual(strings(readNpz(out), "spec_reason")[1], strings(readNpz(out), "spec_reason")[0]);
  }));

Deno.test("tables with an ephemeris: polarity as it was simulated, places, sunlight; without footprint no wake", () =>
  inFolder(async (folder) => {
    const groups = { clean: 3, unconnected: 1 };
    const input = await simulatedTable(folder, 24, 9, groups), out = join(folder, "fit.npz");
    const ephemeris = join(folder, "ephemeris.csv"), potential = { kind: "constant", volts: 0 } as const;
    await fitSweeps(request([input], out, { ephemeris, potential }));
    const all = readNpz(out), { batch } = simulateSweeps({ sweeps: 24, seed: 9, groups });
    const polarity = numbers(all, "rows_projection_polarity");
    assert.deepEqual(polarity, [...batch.polarity]);
    assert.ok(polarity.includes(1) && polarity.includes(-1) && polarity.includes(0));
    const of = (key: string) => numbers(all, `rows_${key}`);
    const [lat, lon, fLat, fLon] = [
      "spacecraft_latitude",
      "spacecraft_longitude",
      "projection_latitude",
      "projection_longitude",
    ].map(of);
    polarity.forEach((p, row) => {
      assert.equal(Number.isNaN(fLat![row]!), p === 0);
      if (p === 0) {
        // The reference classes such rows as wake.
        assert.equal(of("environment_class")[row], 0);
        assert.equal(of("projection_in_sun")[row], 0);
        return;
      }
      assert.ok(Math.abs(fLat![row]! - lat![row]!) < 1e-3 && Math.abs(fLon![row]! - lon![row]!) < 0.1);
      assert.equal(of("environment_class")[row], of("projection_in_sun")[row] === 1 ? 0 : 5);
    });
    assert.ok(of("spacecraft_in_sun").includes(1) && of("spacecraft_in_sun").includes(0));
  }));

Deno.test("without ephemeris: places are NaN, polarity as given or assumed, each with a note", () =>
  inFolder(async (folder) => {
    const input = await simulatedTable(folder, 2), out = join(folder, "fit.npz");
    const run = async (more: Partial<LossconeRequest>) => {
      const notices: string[] = [];
      await fitSweeps(request([input], out, { overwrite: true, ...more }), {
        onNotice: (_, text) => notices.push(text),
      });
      return { notices: notices.join("\n"), all: readNpz(out) };
    };
    const bare = await run({});
    assert.match(bare.notices, /polarity −1 is assumed/);
    assert.match(bare.notices, /spacecraft potential is taken to be 0 V/);
    assert.match(bare.notices, /places over the Moon are not known, they are NaN/);
    assert.ok(numbers(bare.all, "rows_projection_polarity").every((p) => p === -1));
    assert.ok(numbers(bare.all, "rows_spacecraft_latitude").every(Number.isNaN));
    assert.ok(numbers(bare.all, "rows_spacecraft_potential").every((v) => v === 0));
    const given = await run({
      input: { ...DEFAULT_INPUT, polarity: 1 },
      potential: { kind: "constant", volts: -7 },
    });
    assert.doesNotMatch(given.notices, /assumed|taken to be/);
    assert.ok(numbers(given.all, "rows_projection_polarity").every((p) => p === 1));
    assert.ok(numbers(given.all, "rows_spacecraft_potential").every((v) => v === -7));
    const ephemeris = join(folder, "ephemeris.csv");
    await assert.rejects(
      run({ ephemeris, input: { ...DEFAULT_INPUT, polarity: 1 } }),
      /contradict each other/,
    );
  }));

Deno.test("a short sweep is fitted on the rows it has, a sweep of bad text says why, the rest is untouched", () =>
  inFolder(async (folder) => {
    const input = await simulatedTable(folder, 5), [a, b] = [join(folder, "a.npz"), join(folder, "b.npz")];
    await fitSweeps(request([input], a));
    editLines(input, (lines) =>
      lines.filter((_, i) => i < 20 || i >= 24)
        .map((line, i) => i === 30 ? withColumns(line, { 100: "what" }) : line));
    await fitSweeps(request([input], b));
    const [whole, cut] = [readNpz(a), readNpz(b)];
    assert.deepEqual(numbers(cut, "spec_row_count"), [15, 11, 15, 15, 15]);
    assert.equal(cut.get("rows_utc")!.shape[0], 71);
    const [u, v] = [numbers(whole, "spec_u_surface"), numbers(cut, "spec_u_surface")];
    assert.deepEqual([v[0], v[3], v[4]], [u[0], u[3], u[4]]);
    assert.ok(Number.isFinite(v[1]) && Number.isNaN(v[2]));
    assert.match(
      strings(cut, "spec_reason")[2]!,
      /3D990429\.TAB: line 31: dist_phi_5 is "what", expected a number$/,
    );
  }));

Deno.test("kappa: the same table without a loss cone, the truth within its errors", () =>
  inFolder(async (folder) => {
    const out = join(folder, "kappa.npz"), path = join(folder, "i.npz");
    await writeSimulatedSweeps({
      out: path,
      options: { sweeps: 30, seed: 2, lossCone: false },
      overwrite: true,
    });
    await fitSweeps(request([path], out, { wanted: "kappa" }));
    const all = readNpz(out), truth = readNpz(path);
    const off = numbers(all, "spec_kappa").map((k, i) => Math.abs(k - numbers(truth, "true_kappa")[i]!));
    assert.ok(off.sort((x, y) => x - y)[15]! < 0.18, `median ${off[15]}`);
    assert.ok(!all.has("rows_utc") && !all.has("spec_u_surface"));
    assert.ok(numbers(all, "spec_kappa_sigma").some((s) => s > 0));
    const fitted = { wanted: "kappa" as const, potential: { kind: "fit" } as const, overwrite: true };
    const notices: string[] = [];
    await fitSweeps(request([path], out, fitted), { onNotice: (_, text) => notices.push(text) });
    assert.match(notices.join("\n"), /taken to be in sunlight/);
    const volts = numbers(readNpz(out), "spec_spacecraft_potential");
    assert.ok(volts.some((v) => v > 0 && v < 150));
  }));

Deno.test("kappa: energies are taken at the potential that the NPZ has, as with --u-spacecraft", () =>
  inFolder(async (folder) => {
    const path = join(folder, "i.npz"), n = 4;
    await writeSimulatedSweeps({
      out: path,
      options: { sweeps: n, seed: 2, lossCone: false },
      overwrite: true,
    });
    const all = readNpz(path);
    const fitted = async (name: string, volts: Float64Array | null, more: Partial<LossconeRequest> = {}) => {
      const input = join(folder, `${name}-in.npz`), out = join(folder, `${name}.npz`);
      const arrays = new Map(without(all, "u_spacecraft"));
      const shape = volts?.length === n ? [n] : [n, 15];
      if (volts !== null) arrays.set("u_spacecraft", { shape, data: volts, dtype: "<f8" });
      writeNpz(input, arrays);
      const notices: string[] = [];
      const events: LossconeEvents = { onNotice: (_, text) => void notices.push(text) };
      await fitSweeps(request([input], out, { wanted: "kappa", ...more }), events);
      return { temperature: numbers(readNpz(out), "spec_electron_temperature"), notices: notices.join("\n") };
    };
    const none = await fitted("none", null), constant = { kind: "constant", volts: -30 } as const;
    const given = await fitted("given", null, { potential: constant });
    const sweeps = await fitted("sweeps", new Float64Array(n).fill(-30));
    const rows = await fitted("rows", new Float64Array(15 * n).fill(-30));
    assert.deepEqual(sweeps.temperature, given.temperature);
    assert.deepEqual(rows.temperature, given.temperature);
    assert.ok(none.temperature.every((T, i) => Math.abs(T - given.temperature[i]!) > 0.1));
    assert.match(none.notices, /taken to be 0 V/);
    assert.doesNotMatch(sweeps.notices, /taken to be 0 V/);
  }));

Deno.test("outputs that are there, names and inputs that will not do: refused before any work", () =>
  inFolder(async (folder) => {
    const input = await simulated(folder, 2), out = join(folder, "fit.npz");
    await fitSweeps(request([input], out));
    await assert.rejects(fitSweeps(request([input], out)), /fit\.npz: exists already; give --overwrite/);
    await assert.rejects(fitSweeps(request([input], join(folder, "fit.txt"))), /must end in \.npz/);
    await assert.rejects(fitSweeps(request([join(folder, "none")], join(folder, "x.npz"))), InputError);
    writeFileSync(join(folder, "y.fits"), "");
    await assert.rejects(fitSweeps(request([input], join(folder, "y.npz"))), /y\.fits: exists already/);
    await writeSimulatedSweeps({ out: input, options: { sweeps: 0, seed: 1 }, overwrite: true });
    await assert.rejects(fitSweeps(request([input], join(folder, "z.npz"))), /holds no sweep/);
    assert.deepEqual(readdirSync(folder).sort(), ["fit.fits", "fit.npz", "sweeps.npz", "y.fits"]);
  }));
