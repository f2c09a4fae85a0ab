/** Parity cases of the families spots, normal_equations and pixel_sums. */
import { halfBandwidth } from "../../core/extraction/overlap.ts";
import { modelImage, pixelSums } from "../../core/kernels/pixel_sums.ts";
import { normalEquations, weakPrior } from "../../core/kernels/normal_equations.ts";
import { psfSpots } from "../../core/kernels/spots.ts";
import type { Dims } from "../../core/kernels/kernel.ts";
import { type CaseMaker, type Next, type ParityCase, uniform, whole } from "./case.ts";

interface PsfSizes {
  readonly B: number;
  readonly L: number;
  readonly KT?: number;
  readonly KP?: number;
  readonly GX?: number;
  readonly GY?: number;
  readonly SX?: number;
  readonly SY?: number;
}

const FIRST = 6000, STEP = 0.8;

/** Fibres 7 pixels apart, 1.3 rows a bin, widths of about a pixel. */
function psf(sizes: PsfSizes, next: Next, tails = false) {
  const { B, L, KT = 4, KP = 2, GX = 7, GY = 7, SX = 17, SY = 11 } = sizes;
  const domains = Float64Array.of(FIRST - 20, FIRST + STEP * L + 20, FIRST - 25, FIRST + STEP * L + 30);
  const P = GX * GY + 7;
  const trace = uniform(B * 2 * KT, next, -0.5, 0.5);
  const shape = uniform(B * P * KP, next, -0.02, 0.02);
  const lead = (b: number, p: number, value: number) => shape[(b * P + p) * KP]! += value;
  for (let b = 0; b < B; b++) {
    trace[2 * b * KT] = 20 + 7.3 * b + 0.5 * next();
    trace[(2 * b + 1) * KT] = 100 + next();
    if (KT > 1) trace[(2 * b + 1) * KT + 1] = 0.65 * (L + 50);
    lead(b, 0, 0.9 + 0.5 * next());
    lead(b, 1, 0.8 + 0.5 * next());
    lead(b, 2, 1);
    const tail = tails ? [0.01, 1.5, 1, 0.8, 2.1] : [0, 0, 0, 0, 0];
    tail.forEach((value, i) => {
      shape.fill(0, (b * P + 2 + GX * GY + i) * KP, (b * P + 3 + GX * GY + i) * KP);
      lead(b, 2 + GX * GY + i, value);
    });
  }
  return {
    dims: { B, L, KT, KP, GX, GY, SX, SY },
    inputs: {
      wave: Float64Array.from({ length: B * L }, (_, i) => FIRST + STEP * (i % L)),
      domains,
      trace,
      shape,
    },
  };
}

const spots: CaseMaker = function* (next, extra) {
  const one = (sizes: PsfSizes, tails = false): ParityCase => ({
    label: `${Object.entries(sizes).map(([name, n]) => `${name} ${n}`).join(", ")}${tails ? ", tails" : ""}`,
    ...psf(sizes, next, tails),
  });
  yield one({ B: 0, L: 5 });
  yield one({ B: 3, L: 0 });
  for (const L of [1, 2, 7, 8, 9]) yield one({ B: 2, L });
  yield one({ B: 3, L: 6, KP: 4, KT: 7 });
  yield one({ B: 2, L: 5 }, true);
  for (const [SX, SY] of [[3, 3], [5, 9], [9, 5], [19, 13]]) yield one({ B: 1, L: 3, SX: SX!, SY: SY! });
  for (const [GX, GY] of [[1, 1], [3, 5], [6, 2]]) yield one({ B: 1, L: 4, GX: GX!, GY: GY!, KT: 1, KP: 1 });
  // more coefficients than room in the scratch of the edges
  yield one({ B: 1, L: 2, GX: 2, GY: 2, SX: 3, SY: 3, KP: 40 });
  const { dims, inputs } = psf({ B: 4, L: 5 }, next);
  inputs.wave[7] = NaN;
  inputs.shape[2 * 56 * 2 + 20] = NaN;
  yield { label: "NaN in wave and shape", dims, inputs, poisoned: [1, 2] };
  for (let i = 0; i < extra; i++) {
    yield one({
      B: whole(next, 1, 3),
      L: whole(next, 1, 8),
      KT: whole(next, 1, 7),
      KP: whole(next, 1, 4),
      GX: whole(next, 1, 7),
      GY: whole(next, 1, 7),
    });
  }
};

interface PatchSizes {
  readonly B: number;
  readonly F: number;
  readonly L: number;
  readonly SX?: number;
  readonly SY?: number;
  /** Fibres and bins that have spots beyond those of a patch. */
  readonly more?: number;
}

/** Patches of B boxes on spots that are shared, with masked pixels and boxes that cut spots. */
function patches(sizes: PatchSizes, next: Next) {
  const { B, F, L, SX = 7, SY = 5, more = 2 } = sizes;
  const NF = F + more, NL = L + more;
  const xc = new Int32Array(NF * NL), yc = new Int32Array(NF * NL);
  for (let f = 0; f < NF; f++) {
    for (let w = 0; w < NL; w++) {
      xc[f * NL + w] = Math.floor(4 + 3.4 * f + 0.05 * w + 0.4 * next());
      yc[f * NL + w] = Math.floor(6 + 1.4 * w + 0.3 * Math.abs(f - 2) + 0.4 * next());
    }
  }
  // about as large as what the spots cover: boxes cut some at every side
  const NX = Math.max(1, Math.ceil(3.4 * F + 0.05 * NL) + SX - 3),
    NY = Math.max(1, Math.ceil(1.4 * L) + SY - 1);
  const place = new Int32Array(6 * B);
  for (let b = 0; b < B; b++) {
    const fibre = whole(next, 0, more), bin = whole(next, 0, more);
    const corner = [Math.floor(4 + 3.4 * fibre), Math.floor(6 + 1.4 * bin)].map((v) =>
      v + whole(next, -2, 3)
    );
    const size = [NX, NY].map((v) => Math.max(1, v - whole(next, 0, 3)));
    place.set([fibre, bin, ...corner, ...size], 6 * b);
  }
  const weights = uniform(B * NY * NX, next, 0.01, 0.2);
  const pixels = uniform(B * NY * NX, next, -10, 200);
  for (let i = 0; i < weights.length; i++) {
    if (next() < 0.1) [weights[i], pixels[i]] = [0, NaN];
  }
  const corners = { xc, yc, fibres: NF, bins: NL, columns: SX, rows: SY };
  return {
    dims: { B, F, L, NF, NL, SX, SY, NX, NY },
    H: Math.min(halfBandwidth(corners), Math.max(0, F * L - 1)),
    inputs: {
      spots: uniform(NF * NL * SY * SX, next, 0, 0.1),
      xc,
      yc,
      place,
      pixels,
      weights,
      x: uniform(B * F * L, next, -50, 500),
      model: uniform(B * NY * NX, next, -5, 150),
      psferr: uniform(B, next, 0, 0.05),
      regularize: uniform(B, next, 0, 0.1),
    },
  };
}

type Made = ReturnType<typeof patches>;

/** Cases of any kernel of a patch: `finish` makes its inputs, `poison` puts a NaN in and says in which rows. */
function patchCases(
  finish: (made: Made) => { readonly dims: Dims; readonly inputs: ParityCase["inputs"] },
  poison: (made: Made) => readonly number[],
): CaseMaker {
  return function* (next, extra) {
    const one = (sizes: PatchSizes): ParityCase => ({
      label: Object.entries(sizes).map(([name, n]) => `${name} ${n}`).join(", "),
      ...finish(patches(sizes, next)),
    });
    yield one({ B: 0, F: 2, L: 3 });
    yield one({ B: 2, F: 3, L: 0 });
    for (const F of [1, 2, 3, 7]) yield one({ B: 1, F, L: 9 });
    for (const L of [1, 2, 31, 32, 33, 40]) yield one({ B: 1, F: 2, L, more: 0 });
    yield one({ B: 5, F: 3, L: 6 });
    yield one({ B: 1, F: 3, L: 5, SX: 17, SY: 11 });
    for (const [SX, SY] of [[1, 1], [3, 9], [9, 3], [11, 7]]) {
      yield one({ B: 1, F: 3, L: 7, SX: SX!, SY: SY! });
    }
    const dark = patches({ B: 2, F: 3, L: 8 }, next);
    dark.inputs.weights.fill(0, 0, dark.inputs.weights.length / 2);
    yield { label: "a patch without a good pixel", ...finish(dark) };
    const away = patches({ B: 2, F: 2, L: 6 }, next);
    away.inputs.xc.fill(-1000000000, 0, 4);
    yield { label: "spots that are nowhere", ...finish(away) };
    const sick = patches({ B: 3, F: 2, L: 5 }, next);
    const poisoned = poison(sick);
    yield { label: "NaN", ...finish(sick), poisoned };
    for (let i = 0; i < extra; i++) {
      yield one({ B: whole(next, 1, 3), F: whole(next, 1, 5), L: whole(next, 1, 12) });
    }
  };
}

/** A NaN in a pixel of patch 1 that has weight. */
function poisonPixel({ dims, inputs }: Made): readonly number[] {
  const { NX, NY } = dims;
  const middle = NX * NY + Math.floor(NY / 2) * NX + Math.floor(NX / 2);
  inputs.pixels[middle] = NaN;
  inputs.weights[middle] = 1;
  return [1];
}

const equations = patchCases(
  ({ dims, H, inputs }) => ({ dims: { ...dims, H }, inputs }),
  poisonPixel,
);

const prior: CaseMaker = function* (next, extra) {
  const one = (B: number, F: number, L: number, H: number): ParityCase => ({
    label: `${B} patches of ${F} × ${L}, H ${H}`,
    dims: { B, F, L, H },
    inputs: {
      fw: uniform(B * F * L, next, 0, 30).map((v) => next() < 0.2 ? v * 1e-5 : v),
      regularize: uniform(B, next, 0, 0.1),
      band: uniform(B * F * L * (H + 1), next, 0, 1),
    },
  });
  yield one(0, 2, 3, 4);
  for (const L of [1, 85, 86, 255, 256, 257]) yield one(1, 3, L, 2);
  for (const H of [0, 1, 40]) yield one(4, 2, 9, H);
  const dark = one(2, 3, 8, 3);
  dark.inputs.fw!.fill(0, 0, 24);
  yield { ...dark, label: "a patch without light" };
  const sick = one(3, 3, 8, 3);
  sick.inputs.fw![30] = NaN;
  sick.inputs.band![27 * 4 + 3] = NaN;
  yield { ...sick, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 4), whole(next, 1, 6), whole(next, 1, 30), 5);
};

/** Kept bins that leave some out at every side, where there are enough. */
function keepInside(made: Made): Int32Array {
  const { B, F, L } = made.dims;
  const row = [F > 2 ? 1 : 0, F > 3 ? F - 1 : F, L > 5 ? 2 : 0, L > 6 ? L - 1 : L];
  return Int32Array.from({ length: 4 * B }, (_, i) => row[i % 4]!);
}

const model = patchCases(
  (made) => ({ dims: made.dims, inputs: { ...made.inputs, keep: keepInside(made) } }),
  ({ dims, inputs }) => {
    inputs.x[dims.F * dims.L + 5] = NaN;
    return [1];
  },
);

const sums = patchCases(({ dims, inputs }) => ({ dims, inputs }), poisonPixel);

export const EXTRACTION_SPOTS: readonly (readonly [typeof psfSpots, CaseMaker])[] = [
  [psfSpots, spots],
  [normalEquations, equations],
  [weakPrior, prior],
  [modelImage, model],
  [pixelSums, sums],
];
