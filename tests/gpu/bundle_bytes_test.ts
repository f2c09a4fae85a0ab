/** Device memory of a batch of bundles: predicted, and as used. */
import assert from "node:assert/strict";
import { makeExtractor } from "../../core/extraction/extractor.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { bundleBytes, bundlesPerBatch } from "../../gpu/bundle_bytes.ts";
import { chooseTargets } from "../../gpu/choose_targets.ts";
import { EXTRACTION } from "../../gpu/extraction_targets.ts";
import { cutOut, smallScene } from "../extraction/scene.ts";
import { noting } from "./noting_target.ts";

const FIBRES = 6;
const sceneOf = (tiling: "bundle" | "reference") =>
  smallScene({ fibres: 2 * FIBRES, columns: 108, options: { tiling, nwavestep: 20, model: true } });

for (const tiling of ["bundle", "reference"] as const) {
  for (const bins of [44, 110]) {
    Deno.test(`bytes a bundle as predicted, ${bins} bins, tiling ${tiling}`, () => {
      const { job, ccd } = smallScene({
        ...{ fibres: FIBRES, columns: 64, rows: 200, bins },
        options: { tiling, nwavestep: bins === 44 ? 20 : 110, model: true },
      });
      const bundle = { firstFibre: 0, fibres: FIBRES };
      const target = noting(loadWasmTarget());
      makeExtractor(target, job).extract({ bundles: [cutOut(job, ccd, 0, FIBRES)] });
      const predicted = bundleBytes(job, bundle);
      assert.ok(
        target.most <= predicted * 1.02 && target.most > 0.8 * predicted,
        `${target.most} bytes, predicted ${predicted}`,
      );
      // twice as much for two, a little less where they share what is not their own
      const two = noting(loadWasmTarget());
      makeExtractor(two, job).extract({ bundles: [0, 0].map(() => cutOut(job, ccd, 0, FIBRES)) });
      assert.ok(two.most > 1.9 * target.most && two.most < 2.1 * target.most, `${two.most}, ${target.most}`);
    });
  }
}

Deno.test("bundlesPerBatch grows with memory and refuses what cannot work", () => {
  const { job: small } = sceneOf("bundle");
  const job = { ...small, bundleSize: FIBRES };
  const each = bundleBytes(job, { firstFibre: FIBRES, fibres: FIBRES });
  assert.equal(bundlesPerBatch(job, each), 1);
  assert.equal(bundlesPerBatch(job, 25 * each), 10);
  assert.throws(() => bundlesPerBatch(job, each - 1), RangeError);
  // larger bundles, fewer of them
  assert.ok(bundlesPerBatch({ ...job, bundleSize: 2 * FIBRES }, 25 * each) < 10);
});

Deno.test("a batch of bundles is no larger than the device has room for", () => {
  const { job: small } = sceneOf("bundle");
  const job = { ...small, bundleSize: FIBRES };
  const each = bundleBytes(job, { firstFibre: FIBRES, fibres: FIBRES });
  const row = { target: "cuda:0", kind: "cuda", name: "small", usable: true, free: 15 * each } as const;
  // two workers share a device
  const chosen = chooseTargets(
    "cuda",
    20,
    EXTRACTION,
    () => [{ ...row, memory: 16 * each, reason: null } as never],
  );
  assert.equal(chosen.batch, 10);
  assert.equal(chosen.perBatch!(job), 3);
});
