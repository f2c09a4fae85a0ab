/** Slow references of the families kappa, currents. */
import type { HostArray } from "../../core/target.ts";
import type { SlowReference } from "../../gpu/parity/reference.ts";
import { kappaFlux } from "../../core/losscone/kappa_distribution.ts";
import {
  slowElectronCurrent,
  slowShadowCurrents,
  slowShadowPotential,
  slowShadowSum,
  slowSunlitPotential,
} from "../reference/currents.ts";
import { slowKappaChisq, slowResponse, slowRow } from "../reference/kappa.ts";
import { slowKappaFit } from "../reference/kappa_fit.ts";
import { each, EXACT, part, reference, within } from "./slow.ts";

const at = (inputs: Readonly<Record<string, HostArray>>, b: number) => {
  const [density, kappa, theta] = ["density", "kappa", "theta"].map((name) => inputs[name]![b]!);
  return [density!, kappa!, theta!] as const;
};

const flux = reference(
  { flux: within(1e-12) },
  ({ B, N }, inputs) => ({
    flux: each(B!, (b) => {
      const [density, kappa, theta] = at(inputs, b);
      return part(inputs.energy!, N!, b).map((e) => kappaFlux({ density, kappa, theta }, e));
    }),
  }),
);

const response = reference(
  { response: within(1e-12) },
  ({ B, R }, { energy }) => ({ response: each(B!, (b) => slowResponse(part(energy!, R!, b)).flat()) }),
);

const chisq = reference(
  { chi2: within(1e-11) },
  ({ B, P, R }, { energy, flux, weight, density, trial }) => ({
    chi2: each(B!, (b) => {
      const [e, f, w] = [energy!, flux!, weight!].map((a) => part(a, R!, b));
      const pairs = part(trial!, 2 * P!, b);
      return Array.from(
        { length: P! },
        (_, p) => slowKappaChisq(e!, f!, w!, density![b]!, [pairs[2 * p]!, pairs[2 * p + 1]!]),
      );
    }),
  }),
);

const prepare = reference(
  {
    omni: within(1e-12),
    counts: within(1e-15),
    weight: within(1e-12),
    incident: within(1e-15),
    exposure: within(1e-12),
    density: within(1e-12),
  },
  ({ B, R, C }, { energy, potential, phi, flux, field, polarity, theta, solid, factor }) => {
    const of = { theta: [...theta!], solid: [...solid!], factor: [...factor!] };
    const rows = Array.from(
      { length: B! * R! },
      (_, i) =>
        slowRow(energy![i]!, potential![i]!, part(field!, 3, i), polarity![i]!, {
          ...of,
          phi: part(phi!, C!, i),
          flux: part(flux!, C!, i),
        }),
    );
    return {
      omni: rows.map((row) => row.omni),
      counts: rows.map((row) => row.counts),
      weight: rows.map((row) => row.weight),
      incident: rows.map((row) => row.incident),
      exposure: rows.map((row) => row.exposure),
      density: Array.from(
        { length: B! },
        (_, b) => rows.slice(b * R!, (b + 1) * R!).reduce((sum, row) => sum + row.density, 0),
      ),
    };
  },
);

const SLOPE = "the reference minimises by differences of the slow deviance";

const fit = reference(
  {
    solution: within(1e-5, SLOPE),
    covariance: within(1e-4, `${SLOPE}; a matrix of condition up to 1e4 is inverted`),
    deviance: within(1e-9, "the reference stops 1e-6 from the minimum, and counts of 1e7 cancel"),
    state: EXACT,
  },
  ({ B, R, RESPONSE }, { energy, potential, incident, exposure, settings }) => {
    const rows = Array.from({ length: B! }, (_, b) => {
      const [e, v, n, c] = [energy!, potential!, incident!, exposure!].map((a) => part(a, R!, b));
      return slowKappaFit(
        { energy: e!, potential: v!, incident: n!, exposure: c! },
        [...settings!],
        RESPONSE === 1,
      );
    });
    return {
      solution: rows.flatMap((row) => row.solution),
      covariance: rows.flatMap((row) => row.covariance),
      deviance: rows.map((row) => row.deviance),
      state: Int32Array.from(rows.flatMap((row) => row.state)),
    };
  },
);

const current = reference(
  { current: within(1e-12) },
  ({ B, P }, inputs) => ({ current: each(B!, (b) => [slowElectronCurrent(...at(inputs, b), P!)]) }),
);

const sunlit = reference(
  { potential: within(1e-8, "near 0 V a root keeps the rounding of the current, 1e-16 · 5 V of 1e-6") },
  (_, { current }) => ({ potential: Float64Array.from(current!, slowSunlitPotential) }),
);

const shadow = reference(
  { currents: within(1e-12) },
  ({ B, N }, inputs) => ({
    currents: each(
      B!,
      (b) => part(inputs.potential!, N!, b).flatMap((u) => slowShadowCurrents(...at(inputs, b), u)),
    ),
  }),
);

const floating = reference(
  {
    potential: within(1e-8, "both bracket a root to 1e-10 V, of volts"),
    state: EXACT,
  },
  ({ B }, inputs) => {
    const potential = each(B!, (b) => [slowShadowPotential(...at(inputs, b))]);
    const state = Int32Array.from(potential, (u, b) => {
      const sum = slowShadowSum(...at(inputs, b), 0);
      return !Number.isNaN(u) ? 0 : Number.isNaN(sum) ? 3 : sum > 0 ? 1 : 2;
    });
    return { potential, state };
  },
);

/** By name of the kernel. */
export const KAPPA_AND_CURRENTS: Readonly<Record<string, SlowReference>> = {
  kappa_flux: flux,
  kappa_response: response,
  kappa_chisq: chisq,
  kappa_prepare: prepare,
  kappa_fit: fit,
  electron_current: current,
  photoelectron_potential: sunlit,
  shadow_currents: shadow,
  shadow_potential: floating,
};
