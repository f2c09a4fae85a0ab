/** What is solved together: a patch of fibres and bins, and the pixels it explains. */
import type { BundleInput, Cutout, ExtractionJob } from "./job.ts";
import type { Psf } from "./psf.ts";
import { BUNDLE_PADDING, onCcd, padding, spotBins } from "./tiling.ts";

/** Corners of the spots of all bundles of a batch, [fibre][bin]. */
export interface SpotCorners {
  readonly xc: Int32Array;
  readonly yc: Int32Array;
  readonly bins: number;
  /** Size of a spot, pixels. */
  readonly columns: number;
  readonly rows: number;
}

/** Fibres × bins that are solved together; a part of them is kept. */
export interface Patch {
  /** Bundle of the batch. */
  readonly bundle: number;
  /** First fibre among the spots, and how many. */
  readonly fibre: number;
  readonly fibres: number;
  /** First bin among the spots, and how many. */
  readonly bin: number;
  readonly bins: number;
  /** Fibres and bins that are kept, from … and how many, counted in the patch. */
  readonly keepFibre: number;
  readonly keepFibres: number;
  readonly keepBin: number;
  readonly keepBins: number;
  /** Where they go: first fibre in the bundle, first bin of the job's grid. */
  readonly toFibre: number;
  readonly toBin: number;
  /** Pixels that it is fitted to, on the CCD. */
  readonly box: Cutout;
}

/** All patches of a batch. `first`: index of each bundle's first fibre among the spots. */
export function patchesOf(
  job: ExtractionJob,
  bundles: readonly BundleInput[],
  first: readonly number[],
  corners: SpotCorners,
): Patch[] {
  return bundles.flatMap((bundle, b) =>
    job.options.tiling === "bundle"
      ? [wholeBundle(job, bundle, b, first[b]!)]
      : referencePatches(job, bundle, b, first[b]!, corners)
  );
}

/** Patches that can step together: as many fibres, bins, bins before those kept and bins kept. */
export function bySize(patches: readonly Patch[]): Patch[][] {
  const groups = new Map<string, Patch[]>();
  for (const patch of patches) {
    const key = [patch.fibres, patch.bins, patch.keepBin, patch.keepBins].join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [patch]);
    else group.push(patch);
  }
  return [...groups.values()];
}

function wholeBundle(job: ExtractionJob, bundle: BundleInput, b: number, fibre: number): Patch {
  const { before, bins } = spotBins(job);
  const { fibres, cutout: box } = bundle;
  const kept = { keepFibre: 0, keepFibres: fibres, keepBin: before, keepBins: job.wave.length };
  return { bundle: b, fibre, fibres, bin: 0, bins, ...kept, toFibre: 0, toBin: 0, box };
}

function referencePatches(
  job: ExtractionJob,
  bundle: BundleInput,
  b: number,
  fibre: number,
  corners: SpotCorners,
): Patch[] {
  const { psf, wave, options } = job;
  const { nwavestep, pixpadFrac } = options;
  const pad = padding(psf, options);
  const groups = Math.min(options.nsubbundles, bundle.fibres);
  const patches: Patch[] = [];
  for (let g = 0; g < groups; g++) {
    const from = Math.floor(g * bundle.fibres / groups), to = Math.floor((g + 1) * bundle.fibres / groups);
    const low = Math.max(0, from - 1), high = Math.min(bundle.fibres, to + 1);
    for (let start = 0; start < wave.length; start += nwavestep) {
      const core = Math.min(nwavestep, wave.length - start);
      // a full patch would go on for nwavestep − core bins: what lies beyond 40 of them counts for nothing
      const above = Math.min(pad + nwavestep - core, Math.max(pad, BUNDLE_PADDING));
      const bins = pad + core + above;
      const place = { fibre: fibre + low, fibres: high - low, bin: start, bins };
      const kept = { keepFibre: from - low, keepFibres: to - from, keepBin: pad, keepBins: core };
      // rows as for a patch that keeps all bins but the padding
      const rows = { ...place, keepBin: pad, keepBins: bins - 2 * pad };
      const box = inside(patchBox(psf, corners, rows, pixpadFrac), bundle.cutout);
      patches.push({ bundle: b, ...place, ...kept, toFibre: from, toBin: start, box });
    }
  }
  return patches;
}

/**
 * Pixels of a patch: all columns that its spots touch; the rows of its kept bins and a fraction of those that only its
 * padding touches. Rows that lie off the CCD are left out, not the patch.
 */
function patchBox(
  psf: Psf,
  corners: SpotCorners,
  patch: Pick<Patch, "fibre" | "fibres" | "bin" | "bins" | "keepBin" | "keepBins">,
  pixpadFrac: number,
): Cutout {
  const { xc, yc } = corners;
  let [x0, x1] = [Infinity, -Infinity];
  let [padded0, padded1, core0, core1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let f = patch.fibre; f < patch.fibre + patch.fibres; f++) {
    for (let w = 0; w < patch.bins; w++) {
      const at = f * corners.bins + patch.bin + w;
      const x = xc[at]!, y = yc[at]!;
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x + corners.columns);
      padded0 = Math.min(padded0, y);
      padded1 = Math.max(padded1, y + corners.rows);
      if (w < patch.keepBin || w >= patch.keepBin + patch.keepBins) continue;
      core0 = Math.min(core0, y);
      core1 = Math.max(core1, y + corners.rows);
    }
  }
  const y0 = padded0 + Math.trunc((core0 - padded0) * (1 - pixpadFrac));
  const y1 = padded0 + Math.trunc(core1 - padded0 + (padded1 - core1) * pixpadFrac);
  return onCcd(psf, { x0, y0, columns: x1 - x0, rows: y1 - y0 });
}

/** The part of a box that was cut out. */
function inside(box: Cutout, cutout: Cutout): Cutout {
  const x0 = Math.max(box.x0, cutout.x0), y0 = Math.max(box.y0, cutout.y0);
  const x1 = Math.min(box.x0 + box.columns, cutout.x0 + cutout.columns);
  const y1 = Math.min(box.y0 + box.rows, cutout.y0 + cutout.rows);
  return { x0, y0, columns: Math.max(0, x1 - x0), rows: Math.max(0, y1 - y0) };
}

/** Bins over which the spots of a patch, `fibres` from `fibre` on, share pixels. */
export function couplingBins(corners: SpotCorners, fibre: number, fibres: number): number {
  const { xc, yc, bins } = corners;
  let most = 0;
  for (let f = fibre; f < fibre + fibres; f++) {
    for (let g = fibre; g < fibre + fibres; g++) {
      const apart = Math.abs(xc[f * bins]! - xc[g * bins]!);
      // fibres never come this much nearer along their traces
      if (apart > 4 * corners.columns) continue;
      for (let w = 0; w < bins; w++) {
        while (w - most - 1 >= 0 && share(corners, f * bins + w, g * bins + w - most - 1)) most++;
      }
    }
  }
  return most;

  function share({ columns, rows }: SpotCorners, a: number, b: number): boolean {
    return Math.abs(yc[a]! - yc[b]!) < rows && Math.abs(xc[a]! - xc[b]!) < columns;
  }
}
