// Products of rows of pixels, for the normal equations of a likelihood: sums over a tile of pixels, accumulated over the
// tiles of a spectrum. Every element of a product has two lanes, even and odd pixels, that are added at the end. Blocks of
// rows share what they load; how they are cut does not touch the order of any sum.
import { across, at, get, set } from "./memory";

/** Pixels of a tile, and bytes between its rows. */
export const TILE: i32 = 128;
export const TILE_BYTES: usize = <usize> TILE << 3;

// @ts-ignore: decorator
@inline
export function even(n: i32): i32 {
  return (n + 1) & ~1;
}

/** Pairs of row pairs of a symmetric product of n (even) rows. */
// @ts-ignore: decorator
@inline
export function symmetricBlocks(n: i32): i32 {
  return (n >> 1) * ((n >> 1) + 1) / 2;
}

/** Sums of row pairs I and J ≤ I of a symmetric product: 2×2 elements of two lanes. */
// @ts-ignore: decorator
@inline
function blockAt(acc: usize, I: i32, J: i32): usize {
  return acc + (<usize> (I * (I + 1) / 2 + J) << 6);
}

/** acc += rows rowsᵀ for n (even) rows of `length` (even) elements, lower triangle of 2×2 blocks. */
export function symmetricProduct(n: i32, rows: usize, length: i32, acc: usize): void {
  const pairs = n >> 1;
  let I = 0;
  while (I < pairs) {
    const a = rows + (TILE_BYTES << 1) * I;
    // two blocks at once share what they read of the other row pair
    const both = (I & 1) == 1 && I + 1 < pairs;
    for (let J = 0; J <= I; J++) {
      const b = rows + (TILE_BYTES << 1) * J;
      if (both) tallBlock(a, b, b + TILE_BYTES, length, blockAt(acc, I, J), blockAt(acc, I + 1, J));
      else block(a, b, b + TILE_BYTES, length, blockAt(acc, I, J));
    }
    I++;
    if (both) {
      const last = a + (TILE_BYTES << 1);
      block(last, last, last + TILE_BYTES, length, blockAt(acc, I, I));
      I++;
    }
  }
}

/** acc += 2×2 products of rows a, a+1 with b0, b1. */
// @ts-ignore: decorator
@inline
function block(a: usize, b0: usize, b1: usize, length: i32, acc: usize): void {
  let s00 = v128.load(acc);
  let s01 = v128.load(acc, 16);
  let s10 = v128.load(acc, 32);
  let s11 = v128.load(acc, 48);
  const end = a + (<usize> length << 3);
  while (a < end) {
    const x0 = v128.load(a);
    const x1 = v128.load(a, 1024); // TILE_BYTES
    const y0 = v128.load(b0);
    const y1 = v128.load(b1);
    s00 = f64x2.add(s00, f64x2.mul(x0, y0));
    s01 = f64x2.add(s01, f64x2.mul(x0, y1));
    s10 = f64x2.add(s10, f64x2.mul(x1, y0));
    s11 = f64x2.add(s11, f64x2.mul(x1, y1));
    a += 16;
    b0 += 16;
    b1 += 16;
  }
  v128.store(acc, s00);
  v128.store(acc, s01, 16);
  v128.store(acc, s10, 32);
  v128.store(acc, s11, 48);
}

/** Rows a … a+3 with b0, b1: two blocks. */
// @ts-ignore: decorator
@inline
function tallBlock(a: usize, b0: usize, b1: usize, length: i32, acc: usize, below: usize): void {
  let s00 = v128.load(acc);
  let s01 = v128.load(acc, 16);
  let s10 = v128.load(acc, 32);
  let s11 = v128.load(acc, 48);
  let s20 = v128.load(below);
  let s21 = v128.load(below, 16);
  let s30 = v128.load(below, 32);
  let s31 = v128.load(below, 48);
  const end = a + (<usize> length << 3);
  while (a < end) {
    const y0 = v128.load(b0);
    const y1 = v128.load(b1);
    let x = v128.load(a);
    s00 = f64x2.add(s00, f64x2.mul(x, y0));
    s01 = f64x2.add(s01, f64x2.mul(x, y1));
    x = v128.load(a, 1024);
    s10 = f64x2.add(s10, f64x2.mul(x, y0));
    s11 = f64x2.add(s11, f64x2.mul(x, y1));
    x = v128.load(a, 2048);
    s20 = f64x2.add(s20, f64x2.mul(x, y0));
    s21 = f64x2.add(s21, f64x2.mul(x, y1));
    x = v128.load(a, 3072);
    s30 = f64x2.add(s30, f64x2.mul(x, y0));
    s31 = f64x2.add(s31, f64x2.mul(x, y1));
    a += 16;
    b0 += 16;
    b1 += 16;
  }
  v128.store(acc, s00);
  v128.store(acc, s01, 16);
  v128.store(acc, s10, 32);
  v128.store(acc, s11, 48);
  v128.store(below, s20);
  v128.store(below, s21, 16);
  v128.store(below, s30, 32);
  v128.store(below, s31, 48);
}

/** acc += rows · y for n (even) rows, two lanes a row. */
export function rowProducts(n: i32, rows: usize, y: usize, length: i32, acc: usize): void {
  for (let i = 0; i < n; i += 2) {
    let a = rows + TILE_BYTES * i;
    let b = y;
    let s0 = v128.load(acc);
    let s1 = v128.load(acc, 16);
    const end = a + (<usize> length << 3);
    while (a < end) {
      const d = v128.load(b);
      s0 = f64x2.add(s0, f64x2.mul(v128.load(a), d));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(a, 1024), d)); // TILE_BYTES
      a += 16;
      b += 16;
    }
    v128.store(acc, s0);
    v128.store(acc, s1, 16);
    acc += 32;
  }
}

/**
 * acc += rows Pᵀ for n (even) rows of a tile and the K rows of the basis at pixel p0: blocks of 2×2, those of a row pair
 * together.
 */
export function basisProduct(n: i32, rows: usize, K: i32, NP: i32, basis: usize, p0: i32, length: i32, acc: usize): void {
  const across = (K + 1) >> 1;
  const pairs = n >> 1;
  const whole = length & ~1;
  const row = <usize> NP << 3;
  for (let I = 0; I < pairs; I += 2) {
    const a = rows + (TILE_BYTES << 1) * I;
    const to = acc + (<usize> (I * across) << 6);
    for (let J = 0; J < across; J++) {
      const b = at(basis, p0) + row * (2 * J);
      // of an odd K the last row stands twice
      const next = 2 * J + 1 < K ? b + row : b;
      const here = to + (<usize> J << 6);
      if (I + 1 < pairs) tallBlock(a, b, next, whole, here, here + (<usize> across << 6));
      else block(a, b, next, whole, here);
    }
  }
  if (whole == length) return;
  // the odd pixel counts to the even lane
  for (let q = 0; q < n; q++) {
    const u = get(rows + TILE_BYTES * q, whole);
    const line = acc + (<usize> ((q >> 1) * across) << 6) + (<usize> (q & 1) << 5);
    for (let k = 0; k < K; k++) {
      const sum = line + (<usize> (k >> 1) << 6) + (<usize> (k & 1) << 4);
      store<f64>(sum, load<f64>(sum) + u * get(basis, k * NP + p0 + whole));
    }
  }
}

/** Reads out a symmetric product: matrix[i, j] for i, j < n, row length n. */
export function symmetricResult(n: i32, acc: usize, matrix: usize): void {
  for (let i = 0; i < n; i += 2) {
    for (let j = 0; j <= i; j += 2) {
      for (let k = 0; k < 4; k++) {
        const r = i + (k >> 1);
        const c = j + (k & 1);
        const value = across(v128.load(acc + (<usize> k << 4)));
        set(matrix, r * n + c, value);
        set(matrix, c * n + r, value);
      }
      acc += 64;
    }
  }
}
