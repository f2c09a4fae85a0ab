import assert from "node:assert/strict";
import { npyFloat64, readNpz } from "../../core/io/npy.ts";
import {
  axesOfParams,
  cellFractions,
  cellIsInside,
  cellOf,
  cornerIds,
  cornerWeights,
  type Grid,
  gridIds,
  gridParams,
  gridSpan,
  hasHole,
  mapped,
  mappedNodes,
  mappedPoint,
  nearestTemplate,
  outsideMeasure,
  unmapped,
} from "../../core/templates/grid.ts";
import { importLibrary } from "../../core/templates/import_library.ts";
import type { Axis } from "../../core/templates/library.ts";
import { dataTest } from "../shared_data.ts";

const axis = (name: string, values: number[], log10 = false): Axis => ({
  name,
  unit: "",
  log10,
  values: Float64Array.from(values),
});

const AXES = [axis("teff", [4000, 5000, 8000], true), axis("logg", [1, 2, 4, 5]), axis("feh", [-1, 0])];

function grid(holes: readonly number[] = []): Grid {
  const nodes = gridParams(AXES);
  const kept = Array.from({ length: nodes.length / 3 }, (_, t) => t).filter((t) => !holes.includes(t));
  const params = Float64Array.from(kept.flatMap((t) => [...nodes.subarray(3 * t, 3 * t + 3)]));
  return { axes: AXES, params, idgrid: gridIds(AXES, params) };
}

Deno.test("mapped() and unmapped() are inverse", () => {
  assert.equal(mapped(AXES[0], 1000), 3);
  assert.equal(mapped(AXES[1], 4.5), 4.5);
  for (const x of [3900, 4000, 6123.4]) assert.ok(Math.abs(unmapped(AXES[0], mapped(AXES[0], x)) - x) < 1e-9);
});

Deno.test("cellOf() is closed below, open above, and closed at the upper edge of the grid", () => {
  const cell = (...p: number[]) => [...cellOf({ axes: AXES }, mappedPoint(AXES, p))];
  assert.deepEqual(cell(4000, 1, -1), [0, 0, 0]);
  assert.deepEqual(cell(5000, 2, -0.5), [1, 1, 0]);
  assert.deepEqual(cell(4999.99, 1.99, 0), [0, 0, 0]);
  assert.deepEqual(cell(8000, 5, 0), [1, 2, 0]);
  assert.deepEqual(cell(3999, 5.01, NaN), [-1, 3, -1]);
  assert.ok(cellIsInside({ axes: AXES }, [1, 2, 0]));
  assert.ok(!cellIsInside({ axes: AXES }, [-1, 2, 0]));
  assert.ok(!cellIsInside({ axes: AXES }, [1, 3, 0]));
});

Deno.test("an axis of one node has one cell, at that node", () => {
  const axes = [axis("alpha", [0.4])];
  assert.deepEqual([...cellOf({ axes }, [0.4])], [0]);
  assert.ok(cellIsInside({ axes }, cellOf({ axes }, [0.4])));
  for (const x of [0.3, 0.5]) assert.ok(!cellIsInside({ axes }, cellOf({ axes }, [x])));
  assert.deepEqual([...cellFractions({ axes }, [0], [0.4])], [0]);
  assert.deepEqual([...cornerIds({ axes, idgrid: Int32Array.of(0) }, [0])], [
    0,
    0,
  ]);
});

Deno.test("cornerIds() sets bit d for the upper node of axis d, bit 0 for the first axis", () => {
  const corners = cornerIds(grid(), [0, 1, 0]);
  // C order: id = (teff · 4 + logg) · 2 + feh.
  const expected = [0, 1, 2, 3, 4, 5, 6, 7].map((c) => ((c & 1) * 4 + 1 + (c >> 1 & 1)) * 2 + (c >> 2 & 1));
  assert.deepEqual([...corners], expected);
});

Deno.test("cornerWeights() reproduce a multilinear function exactly", () => {
  const g = grid();
  const f = (u: ArrayLike<number>) => 2 + 3 * u[0] - u[1] + 0.5 * u[0] * u[1] * u[2];
  const u = mappedPoint(AXES, [6200, 3.3, -0.25]);
  const cell = cellOf(g, u);
  const weights = cornerWeights(cellFractions(g, cell, u));
  let sum = 0;
  cornerIds(g, cell).forEach((id, c) => {
    sum += weights[c] * f(mappedPoint(AXES, g.params.subarray(3 * id, 3 * id + 3)));
  });
  assert.ok(Math.abs(sum - f(u)) < 1e-12);
  assert.ok(Math.abs(weights.reduce((a, b) => a + b) - 1) < 1e-15);
});

Deno.test("a missing node is a hole in all cells round it, and the nearest template stands in", () => {
  const g = grid([2]);
  assert.deepEqual([...g.idgrid].slice(0, 4), [0, 1, -1, 2]);
  assert.ok(hasHole(cornerIds(g, [0, 0, 0])));
  assert.ok(hasHole(cornerIds(g, [0, 1, 0])));
  assert.ok(!hasHole(cornerIds(g, [0, 2, 0])));
  const u = mappedPoint(AXES, [4000, 1.1, -1]);
  assert.equal(nearestTemplate(g, u).id, 0);
  assert.ok(Math.abs(outsideMeasure(g, u) - 0.025) < 1e-12);
  assert.equal(outsideMeasure(g, mappedPoint(AXES, [4000, 4.5, -1])), 0);
});

Deno.test("nearestTemplate() of NaN is template 0 at distance NaN", () => {
  assert.deepEqual(nearestTemplate(grid(), [NaN, 2, 0]), { id: 0, distance: NaN });
});

Deno.test("gridIds() names the template that is at no node", () => {
  assert.throws(
    () => gridIds(AXES, Float64Array.of(4000, 1, -1, 4100, 1, 0)),
    /template 1: teff 4100 is no node/,
  );
});

Deno.test("axesOfParams() sorts values and maps teff by log10", () => {
  const [teff, logg] = axesOfParams(["teff", "logg"], Float64Array.of(5000, 4, 4000, 4.5, 5000, 4.5));
  assert.deepEqual([[...teff.values], teff.log10, [...logg.values], logg.log10], [[4000, 5000], true, [
    4,
    4.5,
  ], false]);
});

dataTest(
  "grid functions agree with the reference's regular grid",
  ["stellar/kernels/regulargrid.npz", "stellar/reference/library"],
  (npz, folder) => {
    const arrays = readNpz(npz, ["params", "outside", "uvec_0", "uvec_1", "uvec_2", "uvec_3", "ptp"]);
    const numbers = (name: string) => npyFloat64(arrays.get(name)!, name);
    const library = importLibrary(folder);
    library.axes.forEach((a, d) => {
      mappedNodes(a).forEach((u, i) => assert.ok(Math.abs(u - numbers(`uvec_${d}`)[i]) < 1e-13));
    });
    gridSpan(library).forEach((span, d) => assert.ok(Math.abs(span - numbers("ptp")[d]) < 1e-13));
    const params = numbers("params");
    numbers("outside").forEach((expected, i) => {
      const u = mappedPoint(library.axes, params.subarray(4 * i, 4 * i + 4));
      const found = outsideMeasure(library, u, "outside");
      assert.ok(Math.abs(found - expected) < 1e-12, `point ${i}: ${found} against ${expected}`);
    });
  },
);
