/** The instrument of simulated spectra: DESI's three arms, their noise and their resolution matrices. */
import { lsfInverse } from "../kernels/resolution.ts";
import type { RandomStream } from "../random.ts";

export interface ArmModel {
  readonly arm: "b" | "r" | "z";
  readonly setup: string;
  /** Å, vacuum, heliocentric. */
  readonly lam: Float64Array;
  /** Nominal FWHM of the line spread, Å. */
  readonly fwhm: number;
  readonly ndiag: number;
  /** Shape of σ over wavelength, 1 at the middle of r. */
  readonly noise: Float64Array;
}

/** Å per pixel. */
const STEP = 0.8;
const NDIAG = 11;
const FWHM_TO_SIGMA = 1 / (2 * Math.sqrt(2 * Math.LN2));
/** Strong airglow of the z arm, Å: there σ is larger. */
const AIRGLOW = [
  7716,
  7750,
  7794,
  7821,
  7914,
  7993,
  8344,
  8399,
  8430,
  8465,
  8778,
  8827,
  8885,
  8919,
  9376,
  9439,
];

/** Most that the width of the line spread deviates: over fibres, and along an arm. */
const FIBRE_DRIFT = 0.03;
const ARM_DRIFT = 0.02;

function makeArm(arm: ArmModel["arm"], first: number, npix: number, fwhm: number): ArmModel {
  const lam = Float64Array.from({ length: npix }, (_, i) => Math.round((first + STEP * i) * 1e6) / 1e6);
  const noise = lam.map((x) => {
    const blue = 1 + 1.6 * Math.max(0, (4300 - x) / 700) ** 2;
    const airglow = AIRGLOW.reduce((sum, line) => sum + Math.exp(-0.5 * ((x - line) / 1.2) ** 2), 0);
    return blue * (1 + 0.8 * Math.min(airglow, 1.5)) * (x > 9300 ? 1 + (x - 9300) / 1000 : 1);
  });
  return { arm, setup: `desi_${arm}`, lam, fwhm, ndiag: NDIAG, noise };
}

export const SIMULATED_ARMS: readonly ArmModel[] = [
  makeArm("b", 3600, 2751, 1.55),
  makeArm("r", 5760, 2326, 1.55),
  makeArm("z", 7520, 2881, 1.8),
];

/**
 * Resolution matrix of one fibre: Gaussians whose width drifts by a few per cent, rows of unit sum.
 *
 * @returns DESI storage: D[k, j] = R[j − (w − k), j], w = ⌊ndiag/2⌋; shape (ndiag, npix), the pixel axis fast
 */
export function drawResolution(arm: ArmModel, deviates: RandomStream): Float32Array {
  const npix = arm.lam.length, w = arm.ndiag >> 1;
  const scale = 1 + FIBRE_DRIFT * (2 * deviates.uniform(0) - 1);
  const tilt = ARM_DRIFT * (2 * deviates.uniform(1) - 1);
  const out = new Float32Array(arm.ndiag * npix);
  const weights = new Float64Array(arm.ndiag);
  for (let i = 0; i < npix; i++) {
    const x = 2 * i / (npix - 1) - 1;
    const sigma = arm.fwhm * FWHM_TO_SIGMA * scale * (1 + tilt * x) / STEP;
    let sum = 0;
    for (let o = -w; o <= w; o++) {
      const inside = i + o >= 0 && i + o < npix;
      weights[o + w] = inside ? Math.exp(-0.5 * (o / sigma) ** 2) : 0;
      sum += weights[o + w];
    }
    // Element (i, j = i+o) lies on diagonal k with j − (w − k) = i, so k = w − o.
    for (let o = -w; o <= w; o++) {
      const j = i + o;
      if (j >= 0 && j < npix) out[(w - o) * npix + j] = weights[o + w] / sum;
    }
  }
  return out;
}

/**
 * Resolution matrices by rows, less the line spread σ0 that the templates already have: for every row r of the matrix
 * the solution c of G c = r, G_ab = N(a−b; σ0/Δλ). Rows at the ends are rescaled to the median sum of rows.
 *
 * @param resolution - DESI storage, shape (stars, ndiag, npix)
 * @returns shape (stars, npix, ndiag): element m of row i multiplies pixel i + m − ⌊ndiag/2⌋
 */
export function deconvolved(
  resolution: Float32Array,
  stars: number,
  arm: Pick<ArmModel, "lam" | "ndiag">,
  sigma0: number,
): Float64Array {
  const npix = arm.lam.length, n = arm.ndiag, w = n >> 1;
  const inverse = lsfInverse(n, sigma0 / (arm.lam[1] - arm.lam[0]));
  const out = new Float64Array(stars * npix * n);
  const row = new Float64Array(n), sums = new Float64Array(npix);
  for (let star = 0; star < stars; star++) {
    const matrix = resolution.subarray(star * n * npix, (star + 1) * n * npix);
    for (let i = 0; i < npix; i++) {
      for (let m = 0; m < n; m++) {
        const j = i + m - w;
        row[m] = j >= 0 && j < npix ? matrix[(n - 1 - m) * npix + j] : 0;
      }
      const at = (star * npix + i) * n;
      sums[i] = 0;
      for (let m = 0; m < n; m++) {
        let c = 0;
        for (let b = 0; b < n; b++) c += inverse[m * n + b] * row[b];
        out[at + m] = c;
        const j = i + m - w;
        if (j >= 0 && j < npix) sums[i] += c;
      }
    }
    const typical = sums.slice().sort()[npix >> 1];
    for (let i = 0; i < npix; i++) {
      if (i >= w && i < npix - w) continue;
      const at = (star * npix + i) * n;
      for (let m = 0; m < n; m++) {
        const j = i + m - w;
        out[at + m] = j >= 0 && j < npix ? out[at + m] * typical / sums[i] : 0;
      }
    }
  }
  return out;
}
