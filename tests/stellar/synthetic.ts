/** A small invented library and noise-free or noisy stars made of it, for tests that need no data. */
import { fitModel, rotationHalfWidth } from "../../core/kernels/fit.ts";
import { splineFactor } from "../../core/kernels/spline.ts";
import type { FitBatch, FitJob } from "../../core/stellar/batch.ts";
import { DEFAULT_OPTIONS, type FitOptions } from "../../core/stellar/options.ts";
import { RandomStream } from "../../core/random.ts";
import type { Axis } from "../../core/templates/library.ts";
import { call } from "../kernels/harness.ts";

const AXES: readonly Axis[] = [
  { name: "teff", unit: "K", log10: true, values: Float64Array.of(4000, 5000, 6000, 7000) },
  { name: "logg", unit: "dex", log10: false, values: Float64Array.of(1, 3, 5) },
  { name: "feh", unit: "dex", log10: false, values: Float64Array.of(-2, -1, 0) },
];

/** First data wavelength, pixels, step of one arm, Å. */
const ARMS = [["b", 4500, 600], ["r", 5800, 500]] as const;
const STEP = 0.8;
const DLNLAM = 7e-5;

/** ln flux of the invented star: lines whose depths follow the parameters in different ways. */
function lnFlux(lam: number, [teff, logg, feh]: readonly number[]): number {
  let depth = 0;
  for (let k = 0; k < 60; k++) {
    const centre = 4400 + 31.7 * k + 7 * Math.sin(3.1 * k);
    const width = 1 + 0.3 * Math.sin(k) + (k % 5 === 0 ? 0.4 * logg! : 0);
    if (Math.abs(lam - centre) > 9 * width) continue;
    const strength = k % 3 === 0
      ? 10 ** (0.4 * feh!)
      : k % 3 === 1
      ? (6000 / teff!) ** 2 * 10 ** (0.2 * feh!)
      : (teff! / 5000) ** 3 * (1 + 0.1 * logg!);
    depth += (0.25 + 0.2 * Math.cos(k)) * strength * Math.exp(-0.5 * ((lam - centre) / width) ** 2);
  }
  return 0.3 * Math.sin(lam / 900) - depth;
}

/** Job of two arms over the invented library. */
export function syntheticJob(options: Partial<FitOptions> = {}): FitJob {
  const nodes: number[][] = [];
  for (const teff of AXES[0]!.values) {
    for (const logg of AXES[1]!.values) for (const feh of AXES[2]!.values) nodes.push([teff, logg, feh]);
  }
  return {
    options: { ...DEFAULT_OPTIONS, npoly: 5, maxVel: 400, ...options },
    library: {
      axes: AXES,
      templates: nodes.length,
      params: Float64Array.from(nodes.flat()),
      idgrid: Int32Array.from(nodes, (_, i) => i),
      classes: null,
    },
    arms: ARMS.map(([arm, first, npix]) => {
      const lam = Float64Array.from({ length: npix }, (_, i) => first + STEP * i);
      const lam0 = first / 1.006;
      const n = Math.ceil(Math.log(1.006 * lam[npix - 1]! / lam0) / DLNLAM) + 40;
      const lnflux = new Float32Array(nodes.length * n);
      nodes.forEach((node, t) => {
        for (let i = 0; i < n; i++) lnflux[t * n + i] = lnFlux(lam0 * Math.exp(i * DLNLAM), node);
      });
      return {
        arm,
        setup: `test_${arm}`,
        lam,
        medium: "vacuum" as const,
        frame: "barycentric" as const,
        lsf: { kind: "fwhm" as const, angstrom: 1.5 },
        ndiag: 0,
        prepared: {
          setup: `test_${arm}`,
          lam0,
          dlnlam: DLNLAM,
          npix: n,
          medium: "vacuum" as const,
          sigma0: NaN,
          lnflux,
        },
      };
    }),
  };
}

export interface SyntheticStar {
  readonly vrad: number;
  readonly vsini: number;
  readonly params: readonly number[];
  /** S/N per pixel; the noise itself is added unless `quiet`. */
  readonly sn: number;
  readonly quiet?: boolean;
}

/** Batch of stars by the fit's own model; star i draws its noise from stream i. */
export function syntheticBatch(job: FitJob, stars: readonly SyntheticStar[]): FitBatch {
  const { axes, idgrid } = job.library;
  const D = axes.length, C = 1 << D, E = stars.length;
  const corners = new Int32Array(E * C), t = new Float64Array(E * D);
  stars.forEach((star, e) => {
    const cell = axes.map((axis, d) => {
      let i = 0;
      while (i + 2 < axis.values.length && star.params[d]! >= axis.values[i + 1]!) i++;
      const map = axis.log10 ? Math.log10 : (x: number) => x;
      t[e * D + d] = (map(star.params[d]!) - map(axis.values[i]!)) /
        (map(axis.values[i + 1]!) - map(axis.values[i]!));
      return i;
    });
    for (let c = 0; c < C; c++) {
      let index = 0;
      cell.forEach((i, d) => index = index * axes[d]!.values.length + i + ((c >> d) & 1));
      corners[e * C + c] = idgrid[index]!;
    }
  });
  const pixels = job.arms.map(({ lam, prepared }, a) => {
    const NP = lam.length, NL = prepared.npix;
    const knots = Float64Array.from({ length: NL }, (_, i) => prepared.lam0 * Math.exp(i * prepared.dlnlam));
    const { factor } = call(splineFactor, { N: NL }, { x: knots });
    const dims = {
      E,
      B: 1,
      T: job.library.templates,
      NL,
      NP,
      K: 1,
      D,
      C,
      W: 0,
      H: rotationHalfWidth(job.options.maxVsini, prepared.dlnlam),
    };
    const { template } = call(fitModel, dims, {
      templates: prepared.lnflux,
      knots,
      factor: factor!,
      grid: Float64Array.of(Math.log(prepared.lam0), prepared.dlnlam),
      lam,
      lnlam: lam.map(Math.log),
      basis: new Float64Array(NP).fill(1),
      y: new Float64Array(NP),
      s: new Float64Array(NP).fill(1),
      sumlog: new Float64Array(1),
      rows: new Float64Array(0),
      good: new Uint8Array(NP),
      entry: new Int32Array(E),
      corners,
      t,
      velocity: Float64Array.from(stars, (s) => s.vrad),
      vsini: Float64Array.from(stars, (s) => s.vsini),
    });
    const flux = new Float32Array(E * NP), ivar = new Float32Array(E * NP);
    stars.forEach((star, e) => {
      const normals = new RandomStream(7, e, a).normals(new Float64Array(NP));
      for (let i = 0; i < NP; i++) {
        const model = 10 * template![e * NP + i]! * (1 + 0.2 * i / NP);
        const sigma = 10 / star.sn;
        ivar[e * NP + i] = 1 / sigma ** 2;
        flux[e * NP + i] = model + (star.quiet ? 0 : normals[i]! / Math.sqrt(ivar[e * NP + i]!));
      }
    });
    return { flux, ivar, mask: new Int32Array(E * NP), resolution: null };
  });
  return { rows: stars.map((_, i) => [i]), sn: stars.map((s) => job.arms.map(() => s.sn)), pixels };
}

/** Some of the stars of a batch, in the given order. */
export function take(batch: FitBatch, order: readonly number[]): FitBatch {
  const stars = batch.rows.length;
  return {
    rows: order.map((i) => batch.rows[i]!),
    sn: order.map((i) => batch.sn[i]!),
    pixels: batch.pixels.map(({ flux, ivar, mask }) => {
      const n = flux.length / stars;
      const pick = <A extends Float32Array | Int32Array>(all: A, out: A): A => {
        order.forEach((i, k) => out.set(all.subarray(i * n, (i + 1) * n) as never, k * n));
        return out;
      };
      return {
        flux: pick(flux, new Float32Array(order.length * n)),
        ivar: pick(ivar, new Float32Array(order.length * n)),
        mask: pick(mask, new Int32Array(order.length * n)),
        resolution: null,
      };
    }),
  };
}
