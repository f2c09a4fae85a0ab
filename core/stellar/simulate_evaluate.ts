/** Spectra of simulated stars on a target: the fit's own model, so that the truth is exactly within its reach. */
import { fitModel, rotationHalfWidth } from "../kernels/fit.ts";
import { splineFactor } from "../kernels/spline.ts";
import { place, type Target } from "../target.ts";
import type { Grid } from "../templates/grid.ts";
import type { PreparedArm } from "../templates/prepared.ts";
import { type Evaluate, placeOf, type Truth } from "./simulate.ts";

/**
 * @param arms - library prepared for each arm, with its data wavelengths, Å
 * @param most - largest vsini, km/s
 */
export function makeEvaluate(
  target: Target,
  grid: Grid,
  arms: readonly { readonly prepared: PreparedArm; readonly lam: Float64Array; readonly ndiag: number }[],
  most: number,
): Evaluate {
  const D = grid.axes.length, C = 1 << D;
  const constants = arms.map(({ prepared, lam }) => {
    const { npix: NL, lam0, dlnlam } = prepared;
    const knots = place(target, Float64Array.from({ length: NL }, (_, i) => lam0 * Math.exp(i * dlnlam)));
    const factor = target.allocate("f64", NL * 4);
    target.run(splineFactor, { N: NL }, { x: knots, factor });
    return {
      templates: place(target, prepared.lnflux),
      knots,
      factor,
      grid: place(target, Float64Array.of(Math.log(lam0), dlnlam)),
      lam: place(target, lam),
      lnlam: place(target, lam.map(Math.log)),
      basis: place(target, new Float64Array(lam.length).fill(1)),
    };
  });
  return (truths: readonly Truth[], rows: readonly Float64Array[] | null) => {
    const E = truths.length;
    const corners = new Int32Array(E * C), t = new Float64Array(E * D);
    truths.forEach((truth, e) => {
      const at = placeOf(grid, truth.params);
      corners.set(at.corners, e * C);
      t.set(at.t, e * D);
    });
    return arms.map(({ prepared, lam, ndiag }, a) => {
      const mark = target.mark();
      const B = rows === null ? 1 : E, NP = lam.length;
      const template = target.allocate("f64", E * NP);
      target.run(fitModel, {
        E,
        B,
        T: prepared.lnflux.length / prepared.npix,
        NL: prepared.npix,
        NP,
        K: 1,
        D,
        C,
        W: rows === null ? 0 : ndiag,
        H: rotationHalfWidth(most, prepared.dlnlam),
      }, {
        ...constants[a],
        y: place(target, new Float64Array(B * NP)),
        s: place(target, new Float64Array(B * NP).fill(1)),
        sumlog: place(target, new Float64Array(B)),
        rows: place(target, rows === null ? new Float64Array(0) : rows[a]),
        good: place(target, new Uint8Array(B * NP)),
        entry: place(target, Int32Array.from(truths, (_, e) => rows === null ? 0 : e)),
        corners: place(target, corners),
        t: place(target, t),
        velocity: place(target, Float64Array.from(truths, (truth) => truth.vrad)),
        vsini: place(target, Float64Array.from(truths, (truth) => truth.vsini)),
        value: target.allocate("f64", E),
        chi2: target.allocate("f64", E),
        coeff: target.allocate("f64", E),
        template,
        model: target.allocate("f64", E * NP),
      });
      const out = target.download(template) as Float64Array;
      target.release(mark);
      return out;
    });
  };
}
