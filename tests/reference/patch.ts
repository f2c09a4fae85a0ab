/** Slow reference: the projection matrix of a patch, dense, and what follows from it by definition. */

export type Sizes = Readonly<Record<string, number>>;
type Inputs = Readonly<Record<string, ArrayLike<number>>>;

export interface DensePatch {
  /** Column of an unknown (bin·F + fibre) by pixel of the box, [NY][NX]. */
  readonly A: readonly Float64Array[];
  readonly pixels: number;
}

/** Projection matrix of patch b. */
export function densePatch(dims: Sizes, inputs: Inputs, b: number): DensePatch {
  const { F, L, NL, SX, SY, NX, NY } = dims as Record<string, number>;
  const [fibre, bin, xmin, ymin, columns, rows] = Array.from(
    { length: 6 },
    (_, i) => inputs.place![b * 6 + i]!,
  ) as [number, number, number, number, number, number];
  const A: Float64Array[] = [];
  for (let w = 0; w < L!; w++) {
    for (let f = 0; f < F!; f++) {
      const column = new Float64Array(NX! * NY!);
      const at = (fibre + f) * NL! + bin + w;
      for (let r = 0; r < SY!; r++) {
        for (let c = 0; c < SX!; c++) {
          const x = inputs.xc![at]! + c - xmin, y = inputs.yc![at]! + r - ymin;
          if (x < 0 || x >= columns || y < 0 || y >= rows) continue;
          column[y * NX! + x] = inputs.spots![(at * SY! + r) * SX! + c]!;
        }
      }
      A.push(column);
    }
  }
  return { A, pixels: NX! * NY! };
}

const sum = (n: number, term: (i: number) => number) => {
  let total = 0;
  for (let i = 0; i < n; i++) total += term(i);
  return total;
};

/** Band of K, AᵀWp and AᵀW1 of patch b. */
export function slowNormalEquations(dims: Sizes, inputs: Inputs, b: number) {
  const { A, pixels } = densePatch(dims, inputs, b);
  const H = dims.H!, from = b * pixels;
  const w = (p: number) => inputs.weights![from + p]!;
  const band = new Float64Array(A.length * (H + 1));
  A.forEach((column, m) => {
    for (let k = Math.max(0, H - m); k <= H; k++) {
      const other = A[m - H + k]!;
      band[m * (H + 1) + k] = sum(pixels, (p) => column[p]! * other[p]! * w(p));
    }
  });
  return {
    band,
    fw: A.map((column) => sum(pixels, (p) => column[p]! * w(p))),
    y: A.map((column) => sum(pixels, (p) => w(p) === 0 ? 0 : column[p]! * w(p) * inputs.pixels![from + p]!)),
  };
}

/** Band with the prior, and which bins it holds. */
export function slowPrior(n: number, H: number, fw: number[], regularize: number, band: number[]) {
  const least = 1e-4 * Math.max(0, ...fw);
  const weak = fw.map((v) => v < least ? 1 : 0);
  const out = band.slice();
  for (let m = 0; m < n; m++) out[m * (H + 1) + H]! += (weak[m] ? least - fw[m]! : regularize) ** 2 + 1e-15;
  return { band: out, weak };
}

/** A x of the kept bins of patch b. */
export function slowModelImage(dims: Sizes, inputs: Inputs, b: number): Float64Array {
  const { A, pixels } = densePatch(dims, inputs, b);
  const [f0, f1, w0, w1] = Array.from({ length: 4 }, (_, i) => inputs.keep![b * 4 + i]!) as [
    number,
    number,
    number,
    number,
  ];
  const model = new Float64Array(pixels);
  A.forEach((column, m) => {
    const f = m % dims.F!, w = Math.floor(m / dims.F!);
    if (f < f0 || f >= f1 || w < w0 || w >= w1) return;
    for (let p = 0; p < pixels; p++) model[p]! += inputs.x![b * A.length + m]! * column[p]!;
  });
  return model;
}

/** chi2pix, masked and seen light of the bins of patch b. */
export function slowPixelSums(dims: Sizes, inputs: Inputs, b: number) {
  const { A, pixels } = densePatch(dims, inputs, b);
  const from = b * pixels;
  const w = (p: number) => inputs.weights![from + p]!;
  const chi2 = Float64Array.from({ length: pixels }, (_, p) => {
    if (!(w(p) > 0)) return 0;
    const model = inputs.model![from + p]!;
    return (inputs.pixels![from + p]! - model) ** 2 / ((inputs.psferr![b]! * model) ** 2 + 1 / w(p));
  });
  const seen = A.map((column) => sum(pixels, (p) => w(p) > 0 ? column[p]! : 0));
  return {
    seen,
    masked: A.map((column) => sum(pixels, (p) => w(p) === 0 ? column[p]! : 0)),
    chi2pix: A.map((column, m) => seen[m] === 0 ? 0 : sum(pixels, (p) => column[p]! * chi2[p]!) / seen[m]!),
  };
}
