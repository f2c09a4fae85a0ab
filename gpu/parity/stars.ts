/** Invented stars for whole fits on two targets: a small library of lines, two arms, with or without resolution matrix. */
import { chunkKnots, fitModel, rotationHalfWidth } from "../../core/kernels/fit.ts";
import { splineFactor } from "../../core/kernels/spline.ts";
import type { FitBatch, FitJob } from "../../core/stellar/batch.ts";
import { DEFAULT_OPTIONS } from "../../core/stellar/options.ts";
import { RandomStream } from "../../core/random.ts";
import type { Target } from "../../core/target.ts";
import { call, generator, whole } from "./case.ts";

const AXES = [
  { name: "teff", unit: "K", log10: true, values: Float64Array.of(4200, 5200, 6400) },
  { name: "logg", unit: "dex", log10: false, values: Float64Array.of(1.5, 3, 4.5) },
  { name: "feh", unit: "dex", log10: false, values: Float64Array.of(-2, -1, 0) },
];
const ARMS = [{ arm: "b", first: 4800, npix: 420 }, { arm: "r", first: 6100, npix: 380 }];
/** Å. */
const PIXEL = 0.9;
const DLNLAM = 8e-5;
const MOST_VELOCITY = 350;
/** Diagonals of the resolution matrix, its σ in pixels, and by how many pixels that of every other star is displaced. */
const DIAGONALS = 7, SPREAD = 0.9, DISPLACED = 0.05;
/** σ of the line spread that the library already carries, pixels. */
const OWN_SPREAD = 0.6;

/** ln flux: absorption lines of three kinds, each with its own dependence on the parameters. */
function lnFlux(lam: number, teff: number, logg: number, feh: number): number {
  const strengths = [10 ** (0.35 * feh), (5200 / teff) ** 2.5, (teff / 5200) ** 2 * (0.6 + 0.15 * logg)];
  let sum = 0.2 * Math.cos(lam / 700);
  for (let k = 0; k < 70; k++) {
    const centre = 4750 + 27.3 * k + 9 * Math.cos(2.3 * k);
    const width = k % 4 === 0 ? 1.2 + 0.5 * logg : 1.1;
    const x = (lam - centre) / width;
    if (Math.abs(x) < 9) sum -= (0.2 + 0.15 * Math.sin(1.7 * k)) * strengths[k % 3]! * Math.exp(-0.5 * x * x);
  }
  return sum;
}

/** A job over the invented library. */
export function inventedJob(resolutionMatrix: boolean): FitJob {
  const nodes: [number, number, number][] = [];
  for (const teff of AXES[0]!.values) {
    for (const logg of AXES[1]!.values) for (const feh of AXES[2]!.values) nodes.push([teff, logg, feh]);
  }
  const arms = ARMS.map(({ arm, first, npix }) => {
    const lam = Float64Array.from({ length: npix }, (_, i) => first + PIXEL * i);
    const lam0 = first * Math.exp(-60 * DLNLAM);
    const n = Math.ceil(Math.log(lam[npix - 1]! / lam0) / DLNLAM) + 60;
    const lnflux = new Float32Array(nodes.length * n);
    nodes.forEach((node, t) => {
      for (let i = 0; i < n; i++) lnflux[t * n + i] = lnFlux(lam0 * Math.exp(i * DLNLAM), ...node);
    });
    const setup = `invented_${arm}`;
    const shared = { medium: "vacuum", frame: "barycentric" } as const;
    return {
      ...{ arm, setup, lam, ndiag: resolutionMatrix ? DIAGONALS : 0 },
      ...shared,
      lsf: { kind: "fwhm" as const, angstrom: 1.5 },
      prepared: {
        ...{ setup, lam0, dlnlam: DLNLAM, npix: n, medium: shared.medium, lnflux },
        sigma0: resolutionMatrix ? OWN_SPREAD * PIXEL : NaN,
      },
    };
  });
  return {
    options: { ...DEFAULT_OPTIONS, npoly: 6, maxVel: MOST_VELOCITY, maxVsini: 200, resolutionMatrix },
    library: {
      axes: AXES,
      templates: nodes.length,
      params: Float64Array.from(nodes.flat()),
      idgrid: Int32Array.from(nodes, (_, i) => i),
      classes: null,
    },
    arms,
  };
}

/** Stars of that library with noise: star i is the same in every batch of the seed. */
export function inventedBatch(job: FitJob, stars: number, seed: number, wasm: Target): FitBatch {
  const D = AXES.length, C = 1 << D;
  const next = generator(seed);
  const corners = new Int32Array(stars * C), t = new Float64Array(stars * D);
  const velocity = new Float64Array(stars), vsini = new Float64Array(stars), sn = new Float64Array(stars);
  for (let e = 0; e < stars; e++) {
    const cell = AXES.map(() => whole(next, 0, 1));
    for (let d = 0; d < D; d++) t[e * D + d] = next();
    velocity[e] = MOST_VELOCITY * (1.6 * next() - 0.8);
    vsini[e] = e % 3 === 0 ? 0 : 90 * next();
    sn[e] = 25 + 60 * next();
    for (let c = 0; c < C; c++) {
      corners[e * C + c] = cell.reduce((id, i, d) => id * AXES[d]!.values.length + i + ((c >> d) & 1), 0);
    }
  }
  const pixels = job.arms.map(({ lam, prepared, ndiag }, a) => {
    const NP = lam.length, NL = prepared.npix;
    const knots = Float64Array.from({ length: NL }, (_, i) => prepared.lam0 * Math.exp(i * prepared.dlnlam));
    const lnlam = lam.map(Math.log);
    // diagonal k holds entry ndiag − 1 − k of the rows
    const diagonals = [0, DISPLACED].map((displaced) => {
      const values = Float64Array.from(
        { length: ndiag },
        (_, k) => Math.exp(-0.5 * (((ndiag >> 1) - k - displaced) / SPREAD) ** 2),
      );
      const total = values.reduce((sum, x) => sum + x, 0);
      return values.map((x) => x / total);
    });
    const { template } = call(wasm, fitModel, {
      ...{ E: stars, B: 1, T: job.library.templates, NL, NP, K: 1, D, C, W: 0 },
      H: rotationHalfWidth(job.options.maxVsini, prepared.dlnlam),
      M: chunkKnots(lnlam, prepared.dlnlam),
    }, {
      ...{ templates: prepared.lnflux, knots, lam, lnlam, corners, t, velocity, vsini },
      factor: call(wasm, splineFactor, { N: NL }, { x: knots }).factor!,
      grid: Float64Array.of(Math.log(prepared.lam0), prepared.dlnlam),
      basis: new Float64Array(NP).fill(1),
      y: new Float64Array(NP),
      s: new Float64Array(NP).fill(1),
      sumlog: new Float64Array(1),
      rows: new Float64Array(0),
      good: new Uint8Array(NP),
      entry: new Int32Array(stars),
    });
    const flux = new Float32Array(stars * NP),
      ivar = new Float32Array(stars * NP),
      mask = new Int32Array(stars * NP);
    const resolution = ndiag > 0 ? new Float32Array(stars * ndiag * NP) : null;
    for (let e = 0; e < stars; e++) {
      const normals = new RandomStream(seed, e, a).normals(new Float64Array(NP));
      const sigma = 12 / sn[e]!;
      for (let i = 0; i < NP; i++) {
        const model = 12 * (template as Float64Array)[e * NP + i]! * (1.1 - 0.3 * i / NP);
        flux[e * NP + i] = model + sigma * normals[i]!;
        ivar[e * NP + i] = i % 97 === 60 ? 0 : 1 / sigma ** 2;
        mask[e * NP + i] = i > 200 && i < 212 && e % 2 === 1 ? 1 : 0;
        for (let k = 0; k < ndiag; k++) resolution![(e * ndiag + k) * NP + i] = diagonals[e % 2]![k]!;
      }
    }
    return { flux, ivar, mask, resolution };
  });
  return {
    rows: Array.from({ length: stars }, (_, e) => [e]),
    sn: Array.from(sn, (value) => job.arms.map(() => value)),
    pixels,
  };
}
