/**
 * Model image and sums over the pixels of every bin of extraction patches: twins in core/assembly/pixel_sums.ts and
 * gpu/kernels/pixel_sums.cu.
 */
import type { Kernel } from "./kernel.ts";
import { PATCH_ARGS, PATCH_DIMS, PIXEL_ARGS, SPOT_DIMS } from "./normal_equations.ts";

export const modelImage: Kernel = {
  name: "model_image",
  family: "pixel_sums",
  doc:
    "Image A x of the bins that are kept, in the box of each patch; x is the deconvolved flux. 0 beyond the box.",
  source: "Bolton & Schlegel 2010, PASP 122, 248, eq. 1: the model of the pixels is A x, not A R x",
  dims: { ...PATCH_DIMS, ...SPOT_DIMS },
  args: [
    ...PATCH_ARGS,
    {
      name: "keep",
      role: "in",
      dtype: "i32",
      shape: ["B", "4"],
      unit: "1",
      doc: "fibres from … to and bins from … to of the patch that count, the ends not",
    },
    { name: "x", role: "in", dtype: "f64", shape: ["B", "F*L"], unit: "electron", doc: "deconvolved flux" },
    {
      name: "model",
      role: "out",
      dtype: "f64",
      shape: ["B", "NY", "NX"],
      unit: "electron",
      doc: "model image",
    },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => 2 * d.B! * d.F! * d.L! * d.SX! * d.SY!,
};

export const pixelSums: Kernel = {
  name: "pixel_sums",
  family: "pixel_sums",
  doc:
    "χ² per pixel, fraction of masked light and light seen, of every bin, weighted by its spot within the box. " +
    "chi2pix = Σ A χ² / Σ A [w > 0] with χ² = (p − m)²/((psferr m)² + 1/w) where w > 0, 0 elsewhere; 0 where none is.",
  source: "gpu_specter's chi2pix and pixmask_fraction",
  dims: { ...PATCH_DIMS, ...SPOT_DIMS },
  args: [
    ...PATCH_ARGS,
    ...PIXEL_ARGS,
    {
      name: "model",
      role: "in",
      dtype: "f64",
      shape: ["B", "NY", "NX"],
      unit: "electron",
      doc: "from model_image, all bins of the patch kept",
    },
    {
      name: "psferr",
      role: "in",
      dtype: "f64",
      shape: ["B"],
      unit: "1",
      doc: "relative error of the pixel model",
    },
    {
      name: "chi2pix",
      role: "out",
      dtype: "f64",
      shape: ["B", "F*L"],
      unit: "1",
      doc: "mean χ² of the pixels",
    },
    {
      name: "masked",
      role: "out",
      dtype: "f64",
      shape: ["B", "F*L"],
      unit: "1",
      doc: "light on pixels of weight 0: pixmask_fraction",
    },
    {
      name: "seen",
      role: "out",
      dtype: "f64",
      shape: ["B", "F*L"],
      unit: "1",
      doc: "light on pixels of positive weight; 1 − seen − masked fell beyond the box",
    },
    { name: "chi2", role: "work", dtype: "f64", shape: ["NY*NX+1"], unit: "", doc: "" },
  ],
  tolerance: { relative: 1e-13, absolute: 0 },
  nan: "propagates within its batch row",
  flops: (d) => d.B! * (9 * d.NX! * d.NY! + 4 * d.F! * d.L! * d.SX! * d.SY!),
};

export const PIXEL_SUMS: readonly Kernel[] = [modelImage, pixelSums];
