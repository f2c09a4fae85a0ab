/** The journal keeps every star that was appended, whatever its last record went through. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pid } from "node:process";
import fc from "fast-check";
import { journalIdentity } from "../../core/journal.ts";
import { lockOutput } from "../../core/output_lock.ts";
import { type FinishedStar, type JournalShape, StarJournal } from "../../core/stellar/journal.ts";
import { unfittedStar } from "../../core/stellar/warnings.ts";

const ID = "a1".repeat(32);
const SHAPE: JournalShape = { stars: [[0], [1, 4], [2], [3], [7]], npix: [3, 2], axes: 2 };

function star(index: number): FinishedStar {
  const rows = SHAPE.stars[index];
  const result = {
    ...unfittedStar(rows, 2, [index, 0.5]),
    vrad: index / 3,
    params: [5000 + index, -0],
    covariance: Array.from({ length: 16 }, (_, i) => i * Math.PI),
    warn: 64,
    reason: "kink" as const,
    template: index,
  };
  const models = SHAPE.npix.map((n, arm) =>
    Float32Array.from({ length: rows.length * n }, (_, i) => 100 * index + 10 * arm + i)
  );
  return { star: index, result, models };
}

function withFile(body: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "twinspec-journal-"));
  try {
    body(join(folder, "rvtab_x.fits.journal"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function assertHas(journal: StarJournal, stars: readonly number[]): void {
  assert.equal(journal.done, stars.length);
  SHAPE.stars.forEach((_, index) => {
    assert.equal(journal.has(index), stars.includes(index));
    if (!stars.includes(index)) return assert.equal(journal.model(index, 0), null);
    const expected = star(index);
    assert.deepEqual(journal.result(index), expected.result);
    expected.models.forEach((model, arm) => assert.deepEqual(journal.model(index, arm), model));
  });
}

Deno.test("Journal gives back what was appended, now and when opened again", () => {
  withFile((path) => {
    {
      using journal = new StarJournal(path, ID, SHAPE);
      journal.append([star(1), star(0)]);
      journal.append([star(4)]);
      journal.append([star(4), star(1)]);
      assertHas(journal, [0, 1, 4]);
    }
    assert.equal(journalIdentity(path), ID);
    using journal = new StarJournal(path, ID, SHAPE);
    assertHas(journal, [0, 1, 4]);
    journal.append([star(2)]);
    assertHas(journal, [0, 1, 2, 4]);
    journal.remove();
    assert.equal(existsSync(path), false);
  });
});

Deno.test("Journal loses at most its last record to a tear, and goes on after it", () => {
  withFile((path) => {
    const sizes: number[] = [];
    {
      using journal = new StarJournal(path, ID, SHAPE);
      sizes.push(readFileSync(path).byteLength);
      for (const index of [3, 0, 1]) {
        journal.append([star(index)]);
        sizes.push(readFileSync(path).byteLength);
      }
    }
    const whole = readFileSync(path);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: whole.byteLength }),
        fc.constantFrom("cut", "zeros", "noise"),
        (cut, how) => {
          const rest = how === "cut" ? 0 : whole.byteLength - cut;
          const torn = new Uint8Array(cut + rest).fill(how === "noise" ? 0xa7 : 0);
          torn.set(whole.subarray(0, cut));
          writeFileSync(path, torn);
          const kept = [3, 0, 1].filter((_, i) => sizes[i + 1] <= cut);
          using journal = new StarJournal(path, ID, SHAPE);
          assertHas(journal, kept);
          journal.append([star(1), star(2)]);
          journal.close();
          using again = new StarJournal(path, ID, SHAPE);
          assertHas(again, [...new Set([...kept, 1, 2])]);
        },
      ),
      { numRuns: 200, seed: 3 },
    );
  });
});

Deno.test("Journal of another run is thrown away with a notice", () => {
  withFile((path) => {
    {
      using journal = new StarJournal(path, ID, SHAPE);
      journal.append([star(0)]);
    }
    const notices: string[] = [];
    using journal = new StarJournal(path, "b2".repeat(32), SHAPE, (text) => notices.push(text));
    assertHas(journal, []);
    assert.equal(notices.length, 1);
    assert.match(notices[0], /other options, input or library/);
  });
});

Deno.test("Journal refuses answers of another shape", () => {
  withFile((path) => {
    using journal = new StarJournal(path, ID, SHAPE);
    const wrong = star(0);
    assert.throws(() => journal.append([{ ...wrong, models: [wrong.models[0]] }]), /models of arm 1/);
    assert.throws(
      () => journal.append([{ ...wrong, result: { ...wrong.result, params: [1] } }]),
      /params of a star/,
    );
    assertHas(journal, []);
  });
});

Deno.test("lockOutput lets one run in at a time, and takes over what a killed process leaves", () => {
  withFile((path) => {
    const unlock = lockOutput(path);
    assert.throws(() => lockOutput(path), new RegExp(`process ${pid} on .* is writing it`));
    unlock();
    lockOutput(path)();
    assert.equal(existsSync(`${path}.lock`), false);
    // What a killed process leaves.
    writeFileSync(`${path}.lock`, "process 1 on elsewhere\n");
    lockOutput(path)();
    assert.equal(existsSync(`${path}.lock`), false);
  });
});
