// One pass of Stockham's transform over many series. Twin: core/assembly/fourier.ts.
#pragma once
#include "common.cuh"

namespace twinspec {

struct Complex {
  double re, im;
};

static __device__ inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
static __device__ inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
static __device__ inline Complex times(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
static __device__ inline Complex conjugate(Complex a) { return {a.re, -a.im}; }

/** Passes of a transform of n points: radix 4, with one last radix-2 pass where log₂ n is odd. */
static inline int passes(int n) {
  int log = 0;
  while (n >> (log + 1)) log++;
  return (log + 1) / 2;
}

/** Series r at source + r·sourceStride, n points each, to target + r·targetStride; s points stand together. */
struct FourierPass {
  const Complex* roots;
  const Complex* source;
  Complex* target;
  int64_t rows, sourceStride, targetStride;
  int n, s, every;
  double direction;
};

/** Butterfly i of series r: radix 4, or radix 2 where 2 points are left. */
static __device__ inline void fourierButterfly(const FourierPass& c, int64_t r, int i) {
  const Complex* from = c.source + r * c.sourceStride;
  Complex* to = c.target + r * c.targetStride;
  const int s = c.s;
  const int left = c.n / s;
  if (left == 2) {
    const Complex a = from[i], b = from[i + s];
    to[i] = a + b;
    to[i + s] = a - b;
    return;
  }
  const int quarter = c.n / 4;
  const int p = i / s, q = i % s;
  const Complex a = from[i], b = from[i + quarter], e = from[i + 2 * quarter], d = from[i + 3 * quarter];
  const Complex sum = a + e, difference = a - e;
  const Complex other = b + d, half = b - d;
  const Complex turned = {-c.direction * half.im, c.direction * half.re};
  Complex* out = to + 4 * p * s + q;
  out[0] = sum + other;
  const Complex y1 = difference + turned;
  const Complex y2 = sum - other;
  const Complex y3 = difference - turned;
  if (p == 0) {
    out[s] = y1;
    out[2 * s] = y2;
    out[3 * s] = y3;
    return;
  }
  const int k = p * c.every;
  Complex w1 = c.roots[k], w2 = c.roots[2 * k], w3 = c.roots[3 * k];
  w1.im *= c.direction;
  w2.im *= c.direction;
  w3.im *= c.direction;
  out[s] = times(y1, w1);
  out[2 * s] = times(y2, w2);
  out[3 * s] = times(y3, w3);
}

static __global__ void __launch_bounds__(BLOCK) fourierPassKernel(FourierPass c) {
  const int butterflies = c.n / c.s == 2 ? c.n / 2 : c.n / 4;
  const int64_t index = globalIndex();
  if (index >= c.rows * butterflies) return;
  fourierButterfly(c, index / butterflies, static_cast<int>(index % butterflies));
}

/**
 * Σ_j x_j e^{direction · 2πi jk/n} of `rows` series. The first pass reads source; passes then alternate so that the last
 * one writes target; `spare` has the room of target. source may be target where passes(n) is even, spare where it is odd.
 * n = 1: nothing is done. `roots`: table of `every`·n points.
 */
static inline int32_t fourierTransform(Context& context, int n, double direction, const Complex* roots, int every, int64_t rows,
                                const Complex* source, int64_t sourceStride, Complex* target, int64_t targetStride,
                                Complex* spare, int64_t spareStride) {
  FourierPass c = {roots, source, target, rows, sourceStride, targetStride, n, 1, every, direction};
  const int count = passes(n);
  for (int pass = 0; pass < count; pass++) {
    const bool toSpare = ((count - 1 - pass) & 1) != 0;
    c.target = toSpare ? spare : target;
    c.targetStride = toSpare ? spareStride : targetStride;
    const int butterflies = n / c.s == 2 ? n / 2 : n / 4;
    TS_LAUNCH(fourierPassKernel, blocksFor(rows * butterflies), 0, c);
    c.source = c.target;
    c.sourceStride = c.targetStride;
    c.s *= 4;
    c.every *= 4;
  }
  return TS_OK;
}

}  // namespace twinspec
