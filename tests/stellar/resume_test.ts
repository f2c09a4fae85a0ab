/** Runs that end early keep what they have; the same command finishes it, nothing lost and nothing twice. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../core/io/input_error.ts";
import { DEFAULT_OPTIONS, type FitOptions } from "../../core/stellar/options.ts";
import { identityOf } from "../../core/stellar/run_plan.ts";
import { fitFilesWith } from "../../core/stellar/run_files.ts";
import type { FitEvents, FitRequest } from "../../core/stellar/run_types.ts";
import { type Behaviour, fakeParts, fitRequest, LIBRARY, writeSpectra } from "./run_fixture.ts";

const ROWS = 60;

function withSpectra(name: string, body: (folder: string, input: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), "twinspec-resume-"));
    const input = join(folder, "coadd-long.fits");
    try {
      writeSpectra(input, { rows: ROWS, sky: [3] });
      await body(folder, input);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Runs until `after` stars are done, then aborts. */
async function interrupted(
  request: FitRequest,
  after: number,
  behaviour: Behaviour = { slow: 5 },
): Promise<void> {
  const stop = new AbortController();
  const events: FitEvents = {
    onProgress: (done) => done >= after ? stop.abort(new Error("interrupted")) : undefined,
  };
  await assert.rejects(fitFilesWith(fakeParts(behaviour), request, events, stop.signal), /interrupted/);
}

async function counted(request: FitRequest) {
  let before = -1;
  let fitted = 0;
  const notices: string[] = [];
  const [summary] = await fitFilesWith(fakeParts(), request, {
    onStart: (_, alreadyDone) => before = alreadyDone,
    onProgress: () => fitted++,
    onNotice: (_, text) => notices.push(text),
  });
  return { before, fitted, notices, summary };
}

/** The output of a run that was never disturbed. */
async function undisturbed(folder: string, input: string): Promise<Uint8Array[]> {
  const [{ rvtab, rvmod }] = await fitFilesWith(fakeParts(), fitRequest([input], join(folder, "calm")), {});
  return [readFileSync(rvtab!), readFileSync(rvmod!)];
}

withSpectra(
  "an interrupted run keeps what is done and is finished by the same command",
  async (folder, input) => {
    const request = fitRequest([input], join(folder, "out"), { batch: 2, workers: 2 });
    await interrupted(request, 20);
    assert.deepEqual(readdirSync(join(folder, "out")), ["rvtab_coadd-long.fits.journal"]);
    await interrupted(request, 40);
    const { before, fitted, summary } = await counted({ ...request, batch: 1 });
    assert.ok(before >= 40 && before < ROWS - 1, `${before}`);
    assert.equal(before + fitted, ROWS - 1);
    assert.deepEqual(
      [readFileSync(summary.rvtab!), readFileSync(summary.rvmod!)],
      await undisturbed(folder, input),
    );
    assert.deepEqual(readdirSync(join(folder, "out")).toSorted(), [
      "rvmod_coadd-long.fits",
      "rvtab_coadd-long.fits",
    ]);
  },
);

withSpectra("a run killed with kill -9 is finished by the same command", async (folder, input) => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("run_fixture.ts", import.meta.url).pathname, folder],
    stdout: "null",
    stderr: "inherit",
  });
  const child = command.spawn();
  for (let i = 0; i < 600 && !existsSync(join(folder, "started")); i++) {
    await new Promise((done) => setTimeout(done, 20));
  }
  // Another run on the same output is refused meanwhile.
  const request = fitRequest([input], join(folder, "out"));
  await assert.rejects(
    counted(request),
    (error) => error instanceof InputError && /is writing it/.test(error.message),
  );
  child.kill("SIGKILL");
  await child.status;
  assert.equal(existsSync(join(folder, "out", "rvtab_coadd-long.fits")), false);
  // As if it had died in the middle of a record.
  const journal = join(folder, "out", "rvtab_coadd-long.fits.journal");
  truncateSync(journal, statSync(journal).size - 5);
  writeFileSync(join(folder, "out", "rvtab_coadd-long.fits.tmp-1-0"), "left over");
  const { before, fitted, summary } = await counted(request);
  assert.ok(before >= 10 && before < ROWS - 1, `${before}`);
  assert.equal(before + fitted, Math.ceil((ROWS - 1 - before) / 3) + before);
  assert.deepEqual(
    [readFileSync(summary.rvtab!), readFileSync(summary.rvmod!)],
    await undisturbed(folder, input),
  );
  assert.deepEqual(readdirSync(join(folder, "out")).toSorted(), [
    "rvmod_coadd-long.fits",
    "rvtab_coadd-long.fits",
  ]);
});

withSpectra("a run with other options does not go on from the journal", async (folder, input) => {
  const request = fitRequest([input], folder, { batch: 2 });
  await interrupted(request, 10);
  const { before, notices, summary } = await counted({
    ...request,
    options: { ...DEFAULT_OPTIONS, npoly: 5 },
  });
  assert.equal(before, 0);
  assert.equal(summary.fitted, ROWS - 1);
  assert.ok(notices.some((text) => /other options, input or library/.test(text)), notices.join("\n"));
});

withSpectra("what changes an answer changes the identity of a run", (_, input) => {
  const changes: Partial<FitOptions>[] = [
    {},
    { npoly: 5 },
    { resolutionMatrix: true },
    { resolutionMatrix: true, bandLimit: true },
    { fix: { vsini: 0 } },
  ];
  const identities = changes.map((change) =>
    identityOf(input, ["b"], [[0]], LIBRARY, { ...DEFAULT_OPTIONS, ...change }, "wasm")
  );
  assert.equal(new Set(identities).size, changes.length);
  return Promise.resolve();
});

withSpectra("a run killed after the last rename is complete", async (folder, input) => {
  const request = fitRequest([input], folder, { batch: 5 });
  const journal = join(folder, "rvtab_coadd-long.fits.journal");
  let kept: Uint8Array = new Uint8Array();
  await fitFilesWith(fakeParts(), request, { onProgress: () => kept = readFileSync(journal) });
  writeFileSync(journal, kept);
  const { summary, notices } = await counted(request);
  assert.equal(summary.skipped, true);
  assert.match(notices.join(), /is complete/);
  assert.equal(existsSync(journal), false);
  await assert.rejects(counted(request), /exists already/);
});
