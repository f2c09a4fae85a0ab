/**
 * The oracle of the velocity scan, whole: its spectra and its 100 templates in three arms, prepared as the file's
 * author prepared them (shared/spec/stellar.md §9) from the spectra of another oracle and the reference's library.
 */
import assert from "node:assert/strict";
import { ccfScan } from "../../core/kernels/ccf.ts";
import { fourierTwiddles, rfft } from "../../core/kernels/fourier.ts";
import { importReference } from "../../core/templates/import_reference.ts";
import { interpolateArm } from "../reference/ccf.ts";
import { ccfContinuum, median, nodeSpacing } from "../reference/ccf_continuum.ts";
import { slowRotate, slowRotationWeights } from "../reference/rotation.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

/** Range of the correlated grid, Å, by arm: 0.4 Å a step, rounded up to a power of two of points. */
const ARMS = [["b", 3500, 5900], ["r", 5660, 7720], ["z", 7420, 9924]] as const;
const N = 8192;
/** Its velocities are made with this instead of the speed of light. */
const LIGHT = 3e5;

type Read = ReturnType<typeof oracle>;

/** Values at increasing x linearly interpolated, `outside` beyond the ends (the end values where it is not given). */
function linear(x: ArrayLike<number>, xs: Float64Array, ys: Float64Array, outside?: number): Float64Array {
  let left = 0;
  return Float64Array.from(x, (v) => {
    if (v < xs[0]) return outside ?? ys[0];
    if (v > xs[xs.length - 1]) return outside ?? ys[ys.length - 1];
    while (left > 0 && v < xs[left]) left--;
    while (left < xs.length - 2 && v > xs[left + 1]) left++;
    return ys[left] + (ys[left + 1] - ys[left]) * ((v - xs[left]) / (xs[left + 1] - xs[left]));
  });
}

/** ln λ of the correlated grid. */
function logGrid(first: number, last: number): Float64Array {
  const origin = Math.log(first), step = (Math.log(last) - origin) / (N - 1);
  return Float64Array.from({ length: N }, (_, i) => origin + i * step);
}

function lowMedian(flux: Float64Array): boolean[] {
  return Array.from(flux, (_, i) => {
    const window = Array.from({ length: 11 }, (_, k) => flux[i + k - 5] ?? 0);
    return median(window) <= 0;
  });
}

/** Continuum-normalised flux and its inverse variance on the grid. */
function preparedArm(read: Read, arm: string, first: number, last: number) {
  const lam = read(`sd_desi_${arm}_lam`), flux = read(`sd_desi_${arm}_spec`);
  const sigma = read(`sd_desi_${arm}_espec`), masked = read(`sd_desi_${arm}_badmask`);
  const usual = median(sigma), low = lowMedian(flux);
  const bad = Array.from(lam, (_, i) => masked[i] !== 0 || sigma[i] > 10 * usual || low[i]);
  const good = <T extends Float64Array>(values: T) => values.filter((_, i) => !bad[i]);
  const across = linear(lam, good(lam), good(flux));
  const filled = flux.map((v, i) => bad[i] ? across[i] : v);
  const error = sigma.map((v, i) => bad[i] ? 1e9 * usual : v);
  const floor = 0.01 * median(filled);
  const continuum = ccfContinuum(lam, filled, error, nodeSpacing(first, last)).map((v) => Math.max(v, floor));
  const ivar = error.map((v, i) => bad[i] ? 0 : 1 / (v * v));
  return interpolateArm(lam, filled, ivar, continuum, logGrid(first, last).map(Math.exp));
}

/** A template rotated on its own grid, divided by its continuum and brought to the grid. */
function preparedTemplate(
  lam: Float64Array,
  lnflux: Float32Array,
  vsini: number,
  [first, last]: readonly [number, number],
): Float64Array {
  let flux: Float64Array = Float64Array.from(lnflux, (v) => Math.exp(v));
  if (vsini > 0) {
    const R = vsini / 299792.458 / Math.log(lam[1] / lam[0]);
    flux = slowRotate(flux, slowRotationWeights(R, 0.6, Math.ceil(R + 1)).w);
  }
  const middle = median(flux);
  const error = flux.map((v) => Math.max(1e-5 * v, 0.01 * middle));
  const continuum = ccfContinuum(lam, flux, error, nodeSpacing(first, last));
  const floor = 0.01 * median(continuum);
  return linear(
    logGrid(first, last),
    lam.map(Math.log),
    flux.map((v, i) => v / Math.max(continuum[i], floor)),
    1,
  );
}

/** Vertex of the parabola through the lowest of three neighbours and its value's position. */
function vertex(x: Float64Array, y: Float64Array): number {
  const k = y.indexOf(Math.min(...y)), [a, b, c] = [y[k - 1], y[k], y[k + 1]];
  return x[k] + (x[k + 1] - x[k]) * 0.5 * (a - c) / (a - 2 * b + c);
}

dataTest(
  "oracle: ccf_scan of all 100 templates on three arms gives best_ccf to 1e-6, best_par, best_vsini and best_vel",
  ["stellar/kernels/ccf.npz", "stellar/kernels/getchisq.npz", "stellar/reference/library"],
  (path, spectra, folder) => {
    const read = oracle(path), data = oracle(spectra);
    const library = importReference(folder, {});
    const arms = library.builds.find((build) => build.name === "std")!.arms;
    const params = read("ccf_params"), vsinis = read("ccf_vsinis"), velocities = read("vel_grid");
    const [T, D] = [vsinis.length, library.axes.length];
    const row = (t: number) => {
      for (let i = 0;; i++) {
        if (i === library.templates) throw new Error(`no template of the library has the parameters of ${t}`);
        if (library.axes.every((_: unknown, d: number) => library.params[i * D + d] === params[t * D + d])) {
          return i;
        }
      }
    };
    const { twiddles } = call(fourierTwiddles, { N }, {});
    const transform = (x: Float64Array) => call(rfft, { B: x.length / N, N }, { twiddles, x }).out;
    const sums = Array.from({ length: T }, () => new Float64Array(velocities.length));
    for (const [arm, first, last] of ARMS) {
      const { flux, ivar } = preparedArm(data, arm, first, last);
      assertClose(flux, read(`proc_desi_${arm}`), 1e-7, `flux of arm ${arm}`);
      if (arm === "r") assertClose(ivar, read("proc_r_ivar"), 1e-8, "ivar of arm r");
      const { npix, lam0, dlnlam, lnflux } = arms.find(({ setup }) => setup === `desi_${arm}`)!;
      const lam = Float64Array.from({ length: npix }, (_, i) => lam0 * Math.exp(i * dlnlam));
      const fd = transform(flux.map((v, i) => v * ivar[i])), fw = transform(ivar);
      const energy = flux.reduce((sum, v, i) => sum + v * v * ivar[i], 0);
      const step = LIGHT * (Math.exp(Math.log(last / first) / N) - 1), L = Math.floor(1000 / step) + 1;
      const lags = Float64Array.from({ length: 2 * L + 1 }, (_, i) => (i - L) * step);
      for (let t = 0; t < T; t++) {
        const template = preparedTemplate(
          lam,
          lnflux.subarray(row(t) * npix, (row(t) + 1) * npix),
          vsinis[t],
          [
            first,
            last,
          ],
        );
        // its author takes the exponential in float32
        if (arm === "r" && t < 2) assertClose(template, read(`model_r_${t}`), 2e-7, `template ${t}`);
        const { envelope } = call(ccfScan, { B: 1, T: 1, N, L }, {
          twiddles,
          tm: transform(template),
          tm2: transform(template.map((v) => v * v)),
          fd,
          fw,
        });
        linear(velocities, lags, envelope).forEach((v, i) => sums[t][i] += v + energy);
      }
    }
    const lowest = sums.map((sum) => Math.min(...sum));
    const best = lowest.indexOf(Math.min(...lowest));
    assert.deepEqual([...params.subarray(best * D, (best + 1) * D)], [...read("best_par")]);
    assert.equal(vsinis[best], read("best_vsini")[0]);
    const expected = read("best_ccf");
    for (let i = 0; i < expected.length; i++) {
      assert.ok(Math.abs(sums[best][i] / expected[i] - 1) < 1e-6, `${velocities[i]} km/s: ${sums[best][i]}`);
    }
    const velocity = vertex(velocities, sums[best]);
    assert.ok(Math.abs(velocity - read("best_vel")[0]) < 1e-4, `${velocity} km/s`);
  },
);
