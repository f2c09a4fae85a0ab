// χ² of many templates at many velocities, as correlations on a grid uniform in ln λ.
//
//   data d with weights w = 1/σ² on the grid, template t:   χ²(lag) − Σ d² w = −2 Σ_j t_j (d w)_{j+lag} + Σ_j t_j² w_{j+lag}
//
// A positive lag is a redshift. Both sums are circular, added in Fourier space, P_k = conj(T_k) (−2 D_k) + conj(T²_k) W_k;
// two templates travel as the real and the imaginary part of one inverse transform, here of all N points.
// Twins: core/assembly/ccf.ts, core/kernels/ccf.ts.
#include "fourier.cuh"

namespace twinspec {

namespace {

struct Spread {
  ccf_spread_call c;
  int32_t* first;  // by star: its first spectrum, −1 for none
  int32_t* next;   // by spectrum: the next one of the same star, −1 for none
};

/** The waves of a scan: `spectra` × `pairs` transforms from spectrum b0 and pair p0 on. */
struct Scan {
  ccf_scan_call c;
  Complex* z;
  int b0, spectra, p0, pairs;
};

}  // namespace

/** Chains the spectra of each star in their order. */
__global__ void __launch_bounds__(BLOCK) ccfChainKernel(Spread k) {
  const int64_t i = globalIndex();
  if (i < k.c.B) {
    const int star = k.c.star[i];
    int b = static_cast<int>(i) + 1;
    while (b < k.c.B && k.c.star[b] != star) b++;
    k.next[i] = b < k.c.B ? b : -1;
  }
  if (i < k.c.S) {
    int b = 0;
    while (b < k.c.B && k.c.star[b] != static_cast<int>(i)) b++;
    k.first[i] = b < k.c.B ? b : -1;
  }
}

/** First pixel in [begin, end) whose grid point is not below the value. */
static __device__ inline int lowerPixel(const int32_t* index, int begin, int end, int value) {
  while (begin < end) {
    const int middle = (begin + end) >> 1;
    if (index[middle] < value) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/** A thread a grid point of a star: it gathers its pixels in their order, so that nothing is written twice. */
__global__ void __launch_bounds__(BLOCK) ccfSpreadKernel(Spread k) {
  const ccf_spread_call& c = k.c;
  const int64_t at = globalIndex();
  if (at >= static_cast<int64_t>(c.S) * c.G) return;
  const int star = static_cast<int>(at / c.G);
  const int g = static_cast<int>(at % c.G);
  const int stop = c.LAST < c.P ? c.LAST : c.P;
  const int begin = lowerPixel(c.index, c.FIRST, stop, g - 1);
  const int middle = lowerPixel(c.index, begin, stop, g);
  const int end = lowerPixel(c.index, middle, stop, g + 1);
  if (begin >= end) return;
  double w = c.w[at], dw = c.dw[at];
  for (int b = k.first[star]; b >= 0; b = k.next[b]) {
    const int64_t row = static_cast<int64_t>(b) * c.P;
    for (int p = begin; p < end; p++) {
      const double continuum = c.continuum[row + p];
      const double inverse = c.s[row + p];
      const int i = p < middle ? g - 1 : g;
      if (!(continuum > 0 && inverse > 0) || i < 0 || i + 1 >= c.G) continue;
      const double cs = continuum * inverse;
      const double weight = cs * cs;
      const double value = c.y[row + p] * cs - weight;
      const double f = c.fraction[p];
      const double share = p < middle ? f : 1.0 - f;
      w += share * weight;
      dw += share * value;
    }
  }
  c.w[at] = w;
  c.dw[at] = dw;
}

int32_t ccf_spread(Context& context, const ccf_spread_call& c, Work& work) {
  const int64_t bytes = 4 * (static_cast<int64_t>(c.B) + c.S);
  int64_t slots = 0;
  const bool empty = c.B == 0 || c.S == 0 || c.G == 0 || c.FIRST >= (c.LAST < c.P ? c.LAST : c.P);
  if (work.plan(bytes, empty ? 0 : 1, &slots) || empty) return TS_OK;
  int32_t* first = reinterpret_cast<int32_t*>(work.address);
  const Spread k = {c, first, first + c.S};
  TS_LAUNCH(ccfChainKernel, blocksFor(c.B > c.S ? c.B : c.S), 0, k);
  TS_LAUNCH(ccfSpreadKernel, blocksFor(static_cast<int64_t>(c.S) * c.G), 0, k);
  return TS_OK;
}

/** conj(a) d + conj(a2) w. */
static __device__ inline Complex weighted(Complex a, Complex a2, Complex d, Complex w) {
  return times(conjugate(a), d) + times(conjugate(a2), w);
}

/** The spectrum of χ²_t + i χ²_u over N: points k and N−k by one thread. */
__global__ void __launch_bounds__(BLOCK) ccfProductKernel(Scan k) {
  const ccf_scan_call& c = k.c;
  const int H = c.N / 2;
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(k.spectra) * k.pairs * (H + 1)) return;
  const int64_t column = index / (H + 1);
  const int i = static_cast<int>(index % (H + 1));
  const int64_t b = k.b0 + column / k.pairs;
  const int64_t t = 2 * (k.p0 + column % k.pairs);
  const bool pair = t + 1 < c.T;
  const int64_t row = H + 1;
  const Complex* tm = reinterpret_cast<const Complex*>(c.tm) + t * row + i;
  const Complex* tm2 = reinterpret_cast<const Complex*>(c.tm2) + t * row + i;
  const double scale = 1.0 / c.N;
  const double minusTwo = -2.0 / c.N;
  Complex d = reinterpret_cast<const Complex*>(c.fd)[b * row + i];
  Complex w = reinterpret_cast<const Complex*>(c.fw)[b * row + i];
  d = {d.re * minusTwo, d.im * minusTwo};
  w = {w.re * scale, w.im * scale};
  Complex p = weighted(tm[0], tm2[0], d, w);
  Complex q = {0, 0};
  if (pair) q = weighted(tm[row], tm2[row], d, w);
  if (i == 0 || i == H) {
    // real by definition
    p.im = 0;
    q.im = 0;
  }
  Complex* z = k.z + column * c.N;
  z[i] = {p.re - q.im, p.im + q.re};
  if (i > 0 && i < H) z[c.N - i] = {p.re + q.im, q.re - p.im};
}

/** Whether (value, index) comes before (best, bestIndex): the lower value, the first of equal ones. */
static __device__ inline bool before(double value, int index, double best, int bestIndex) {
  return value < best || (value == best && index < bestIndex);
}

/** A block a template and spectrum: its lowest χ² over lags, and which. NaN at the first lag stays. */
__global__ void __launch_bounds__(BLOCK) ccfLowestKernel(Scan k) {
  TS_DYNAMIC_SHARED(values);
  const ccf_scan_call& c = k.c;
  int* indices = reinterpret_cast<int*>(values + BLOCK);
  const int64_t column = blockIdx.x / 2;
  const int lane = static_cast<int>(blockIdx.x % 2);
  const int64_t b = k.b0 + column / k.pairs;
  const int64_t t = 2 * (k.p0 + column % k.pairs) + lane;
  if (t >= c.T) return;
  const double* z = reinterpret_cast<const double*>(k.z + column * c.N) + lane;
  const int thread = static_cast<int>(threadIdx.x);
  double best = infinity();
  int index = 2 * c.L + 1;
  for (int i = thread; i <= 2 * c.L; i += BLOCK) {
    const double value = z[2 * static_cast<int64_t>((i - c.L) & (c.N - 1))];
    if (before(value, i, best, index)) {
      best = value;
      index = i;
    }
  }
  values[thread] = best;
  indices[thread] = index;
  __syncthreads();
  for (int half = BLOCK / 2; half > 0; half /= 2) {
    if (thread < half && before(values[thread + half], indices[thread + half], values[thread], indices[thread])) {
      values[thread] = values[thread + half];
      indices[thread] = indices[thread + half];
    }
    __syncthreads();
  }
  if (thread > 0) return;
  const double first = z[2 * static_cast<int64_t>(-c.L & (c.N - 1))];
  const bool none = isnan(first) || indices[0] > 2 * c.L;
  c.lowest[b * c.T + t] = none ? first : values[0];
  c.lowest_lag[b * c.T + t] = none ? -c.L : indices[0] - c.L;
}

/** A thread a lag of a spectrum: the lowest over the templates of this wave and those before. */
__global__ void __launch_bounds__(BLOCK) ccfEnvelopeKernel(Scan k) {
  const ccf_scan_call& c = k.c;
  const int lags = 2 * c.L + 1;
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(k.spectra) * lags) return;
  const int64_t b = index / lags;
  const int i = static_cast<int>(index % lags);
  const int64_t out = (k.b0 + b) * lags + i;
  double lowest = k.p0 == 0 ? 0 : c.envelope[out];
  int which = k.p0 == 0 ? 0 : c.envelope_template[out];
  for (int pair = 0; pair < k.pairs; pair++) {
    const Complex both = k.z[(b * k.pairs + pair) * c.N + ((i - c.L) & (c.N - 1))];
    const int t = 2 * (k.p0 + pair);
    if (t == 0 || both.re < lowest) {
      lowest = both.re;
      which = t;
    }
    if (t + 1 < c.T && both.im < lowest) {
      lowest = both.im;
      which = t + 1;
    }
  }
  c.envelope[out] = lowest;
  c.envelope_template[out] = which;
}

int32_t ccf_scan(Context& context, const ccf_scan_call& c, Work& work) {
  const int pairs = (c.T + 1) / 2;
  int64_t slots = 0;
  const int64_t all = static_cast<int64_t>(c.B) * pairs;
  if (work.plan(static_cast<int64_t>(c.N) * 32, all, &slots) || all == 0) return TS_OK;
  if (c.N < 2 || (c.N & (c.N - 1)) != 0 || 2 * c.L + 1 > c.N) {
    return fail(TS_INVALID, "ccf_scan: N = %d must be a power of two and at least 2L+1, L = %d", c.N, c.L);
  }
  const Complex* roots = reinterpret_cast<const Complex*>(c.twiddles);
  const int pairsAtOnce = static_cast<int>(slots < pairs ? slots : pairs);
  const int spectraAtOnce = static_cast<int>(slots / pairsAtOnce < c.B ? slots / pairsAtOnce : c.B);
  Complex* z = reinterpret_cast<Complex*>(work.address);
  Complex* spare = z + static_cast<int64_t>(pairsAtOnce) * spectraAtOnce * c.N;
  for (int b0 = 0; b0 < c.B; b0 += spectraAtOnce) {
    for (int p0 = 0; p0 < pairs; p0 += pairsAtOnce) {
      const int spectra = c.B - b0 < spectraAtOnce ? c.B - b0 : spectraAtOnce;
      const int some = pairs - p0 < pairsAtOnce ? pairs - p0 : pairsAtOnce;
      const int64_t columns = static_cast<int64_t>(spectra) * some;
      // where the number of passes is odd the spectra start in the other half, so that sums end in z
      Scan k = {c, passes(c.N) & 1 ? spare : z, b0, spectra, p0, some};
      TS_LAUNCH(ccfProductKernel, blocksFor(columns * (c.N / 2 + 1)), 0, k);
      const int32_t code =
          fourierTransform(context, c.N, 1, roots, 1, columns, k.z, c.N, z, c.N, spare, c.N);
      if (code != TS_OK) return code;
      k.z = z;
      const size_t shared = BLOCK * (sizeof(double) + sizeof(int));
      TS_LAUNCH(ccfLowestKernel, dim3(static_cast<unsigned>(2 * columns)), shared, k);
      TS_LAUNCH(ccfEnvelopeKernel, blocksFor(static_cast<int64_t>(spectra) * (2 * c.L + 1)), 0, k);
    }
  }
  return TS_OK;
}

}  // namespace twinspec
