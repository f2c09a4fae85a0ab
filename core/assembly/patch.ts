// Where a patch of fibres and wavelength bins lies among the spots and on the CCD. Twin: gpu/kernels/patch.cuh.

// @ts-ignore: decorator
@inline
export function getInt(p: usize, i: i32): i32 {
  return load<i32>(p + ((<usize> i) << 2));
}

/** One row of `place`. */
// @ts-ignore: decorator
@unmanaged
export class Patch {
  /** First fibre and bin among the spots. */
  fibre: i32;
  bin: i32;
  /** Box: first column and row, columns and rows. */
  xmin: i32;
  ymin: i32;
  columns: i32;
  rows: i32;
}

// @ts-ignore: decorator
@inline
export function patchAt(place: usize, b: i32): Patch {
  return changetype<Patch>(place + ((<usize> (b * 6)) << 2));
}
