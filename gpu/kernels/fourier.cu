// Fourier transforms of real series whose length is a power of two.
//
//   rfft:   X_k = Σ_{j<N} x_j e^{−2πi jk/N},  k = 0..N/2          irfft:  x_j = (1/N) Σ_{k<N} X_k e^{+2πi jk/N}
//
// A real series of N travels as N/2 complex numbers. One launch does one pass of Stockham's transform for all series.
// Twins: core/assembly/fourier.ts, core/kernels/fourier.ts.
#include "fourier.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) fourierTwiddlesKernel(fourier_twiddles_call c) {
  const int N = c.N;
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(3) * N / 4) return;
  // quarter turns, then the nearer axis
  const int64_t k4 = 4 * index;
  const int quarter = static_cast<int>(k4 / N);
  const int rest = static_cast<int>(k4 - static_cast<int64_t>(quarter) * N);
  const bool mirrored = 2 * static_cast<int64_t>(rest) > N;
  const double angle = 1.5707963267948966 * static_cast<double>(mirrored ? N - rest : rest) / static_cast<double>(N);
  const double cosine = cos(angle), sine = sin(angle);
  const double x = mirrored ? sine : cosine;
  const double y = mirrored ? cosine : sine;
  c.twiddles[2 * index] = quarter == 0 ? x : quarter == 1 ? -y : -x;
  c.twiddles[2 * index + 1] = quarter == 0 ? y : quarter == 1 ? x : -y;
}

int32_t fourier_twiddles(Context& context, const fourier_twiddles_call& c, Work& work) {
  if (work.none() || 3 * static_cast<int64_t>(c.N) / 4 == 0) return TS_OK;
  TS_LAUNCH(fourierTwiddlesKernel, blocksFor(3 * static_cast<int64_t>(c.N) / 4), 0, c);
  return TS_OK;
}

namespace {

struct Halves {
  const Complex* roots;
  const Complex* spectrum;  // irfft: input
  Complex* out;             // rfft: in place; irfft: half-length series
  int64_t rows, outStride;
  int H;
};

bool powerOfTwo(int n) { return n >= 2 && (n & (n - 1)) == 0; }

}  // namespace

/** z = even + i odd series; E = (Z_k + Z*_{H−k})/2, iO = (Z_k − Z*_{H−k})/2, X_k = E + e^{−2πik/N} O. */
__global__ void __launch_bounds__(BLOCK) realSpectrumKernel(Halves c) {
  const int each = c.H / 2 + 1;
  const int64_t index = globalIndex();
  if (index >= c.rows * each) return;
  Complex* X = c.out + index / each * c.outStride;
  const int k = static_cast<int>(index % each);
  if (k == 0) {
    const Complex first = X[0];
    X[0] = {first.re + first.im, 0};
    X[c.H] = {first.re - first.im, 0};
    return;
  }
  const Complex near = X[k], far = conjugate(X[c.H - k]);
  const Complex even = {0.5 * (near.re + far.re), 0.5 * (near.im + far.im)};
  const Complex odd = {0.5 * (near.im - far.im), -0.5 * (near.re - far.re)};
  const Complex turned = times(odd, conjugate(c.roots[k]));
  X[k] = even + turned;
  X[c.H - k] = conjugate(even - turned);
}

int32_t rfft(Context& context, const rfft_call& c, Work& work) {
  const int H = c.N / 2;
  int64_t slots = 0;
  if (work.plan(static_cast<int64_t>(H) * 16, c.B, &slots)) return TS_OK;
  if (c.B == 0) return TS_OK;
  if (!powerOfTwo(c.N)) return fail(TS_INVALID, "rfft: N must be a power of two from 2, got %d", c.N);
  const Complex* roots = reinterpret_cast<const Complex*>(c.twiddles);
  Complex* spare = reinterpret_cast<Complex*>(work.address);
  for (int64_t b = 0; b < c.B; b += slots) {
    const int64_t rows = c.B - b < slots ? c.B - b : slots;
    const Complex* x = reinterpret_cast<const Complex*>(c.x) + b * H;
    Complex* X = reinterpret_cast<Complex*>(c.out) + b * (H + 1);
    if (H == 1) {
      // a transform of one point is a copy
      for (int64_t r = 0; r < rows; r++) {
        const cudaError_t error = cudaMemcpyAsync(X + r * 2, x + r, 16, cudaMemcpyDeviceToDevice, context.stream);
        if (error != cudaSuccess) return failed(error, "cudaMemcpyAsync");
      }
    }
    const int32_t code = fourierTransform(context, H, -1, roots, 2, rows, x, H, X, H + 1, spare, H);
    if (code != TS_OK) return code;
    const Halves halves = {roots, nullptr, X, rows, H + 1, H};
    TS_LAUNCH(realSpectrumKernel, blocksFor(rows * (H / 2 + 1)), 0, halves);
  }
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) halfSeriesKernel(Halves c) {
  const int each = c.H / 2 + 1;
  const int64_t index = globalIndex();
  if (index >= c.rows * each) return;
  const int64_t b = index / each;
  const Complex* X = c.spectrum + b * (c.H + 1);
  Complex* Z = c.out + b * c.outStride;
  const double scale = 1.0 / (2.0 * c.H);
  const int k = static_cast<int>(index % each);
  if (k == 0) {
    const double head = X[0].re, tail = X[c.H].re;
    Z[0] = {(head + tail) * scale, (head - tail) * scale};
    return;
  }
  const Complex near = X[k], far = conjugate(X[c.H - k]);
  const Complex even = {(near.re + far.re) * scale, (near.im + far.im) * scale};
  const Complex odd = times({(near.re - far.re) * scale, (near.im - far.im) * scale}, c.roots[k]);
  const Complex turned = {-odd.im, odd.re};
  Z[k] = even + turned;
  Z[c.H - k] = conjugate(even - turned);
}

int32_t irfft(Context& context, const irfft_call& c, Work& work) {
  const int H = c.N / 2;
  int64_t slots = 0;
  if (work.plan(static_cast<int64_t>(H) * 16, c.B, &slots)) return TS_OK;
  if (c.B == 0) return TS_OK;
  if (!powerOfTwo(c.N)) return fail(TS_INVALID, "irfft: N must be a power of two from 2, got %d", c.N);
  const Complex* roots = reinterpret_cast<const Complex*>(c.twiddles);
  Complex* spare = reinterpret_cast<Complex*>(work.address);
  for (int64_t b = 0; b < c.B; b += slots) {
    const int64_t rows = c.B - b < slots ? c.B - b : slots;
    Complex* series = reinterpret_cast<Complex*>(c.out) + b * H;
    Complex* Z = passes(H) & 1 ? spare : series;
    const Halves halves = {roots, reinterpret_cast<const Complex*>(c.spectrum) + b * (H + 1), Z, rows, H, H};
    TS_LAUNCH(halfSeriesKernel, blocksFor(rows * (H / 2 + 1)), 0, halves);
    const int32_t code = fourierTransform(context, H, 1, roots, 2, rows, Z, H, series, H, spare, H);
    if (code != TS_OK) return code;
  }
  return TS_OK;
}

}  // namespace twinspec
