/** Slow references of the families spots, normal_equations and pixel_sums. */
import type { SlowReference } from "../../gpu/parity/reference.ts";
import { slowModelImage, slowNormalEquations, slowPixelSums, slowPrior } from "../reference/patch.ts";
import { slowSeries, slowSpot } from "../reference/spots.ts";
import { each, EXACT, part, reference, within } from "./slow.ts";

const psfSpots = reference(
  { spots: within(1e-12), xc: EXACT, yc: EXACT },
  ({ B, L, KT, KP, GX, GY, SX, SY }, { wave, domains, trace, shape }) => {
    const spots = Array.from({ length: B! * L! }, (_, i) => {
      const b = Math.floor(i / L!), P = GX! * GY! + 7;
      const [x, y] = [0, 1].map((axis) => slowSeries(part(trace!, KT!, 2 * b + axis), domains!, wave![i]!));
      const parameters = Array.from(
        { length: P },
        (_, p) => slowSeries(part(shape!, KP!, b * P + p), domains!.subarray(2), wave![i]!),
      );
      return slowSpot(x!, y!, parameters, { GX: GX!, GY: GY!, SX: SX!, SY: SY! });
    });
    return {
      spots: spots.flatMap(({ image }) => image),
      xc: Int32Array.from(spots, ({ xc }) => xc),
      yc: Int32Array.from(spots, ({ yc }) => yc),
    };
  },
);

/** Outputs of all patches, end to end. */
function allPatches<T extends Record<string, ArrayLike<number>>>(B: number, patch: (b: number) => T) {
  const rows = Array.from({ length: B }, (_, b) => patch(b));
  return (name: keyof T) => each(B, (b) => rows[b]![name]!);
}

const normalEquations = reference(
  { band: within(1e-13), y: within(1e-12), fw: within(1e-13) },
  (dims, inputs) => {
    const of = allPatches(dims.B!, (b) => slowNormalEquations(dims, inputs, b));
    return { band: of("band"), y: of("y"), fw: of("fw") };
  },
);

const weakPrior = reference(
  { band: within(1e-14), weak: EXACT },
  ({ B, F, L, H }, { fw, regularize, band }) => {
    const n = F! * L!;
    const of = allPatches(
      B!,
      (b) => slowPrior(n, H!, part(fw!, n, b), regularize![b]!, part(band!, n * (H! + 1), b)),
    );
    return { band: of("band"), weak: Uint8Array.from(of("weak")) };
  },
);

const modelImage = reference(
  { model: within(1e-13) },
  (dims, inputs) => ({ model: each(dims.B!, (b) => slowModelImage(dims, inputs, b)) }),
);

const pixelSums = reference(
  { chi2pix: within(1e-13), masked: within(1e-13), seen: within(1e-13) },
  (dims, inputs) => {
    const of = allPatches(dims.B!, (b) => slowPixelSums(dims, inputs, b));
    return { chi2pix: of("chi2pix"), masked: of("masked"), seen: of("seen") };
  },
);

export const SPOT_REFERENCES: Readonly<Record<string, SlowReference>> = {
  psf_spots: psfSpots,
  normal_equations: normalEquations,
  weak_prior: weakPrior,
  model_image: modelImage,
  pixel_sums: pixelSums,
};
