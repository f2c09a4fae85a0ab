// Inverse covariances of single fibres, one block a fibre.
//
//   S_s = K_ss − K_so K_oo⁻¹ K_os = K_ss − XᵀX,   X = L⁻¹ K_os,   K_oo = L Lᵀ,   o: W fibres on either side
//
// Twins: core/assembly/schur.ts, whose header says more, core/kernels/schur.ts.
#include "banded.cuh"

namespace twinspec {

namespace {

/** Columns of X that begin and end at the same bins. */
constexpr int GROUP = 4;

struct Schur {
  fibre_schur_call c;
  double* work;
  int64_t first;  // fibre of the batch that block 0 has
};

/** Of one fibre. */
struct Sizes {
  int others, unknowns, half, bins, rows;
};

__host__ __device__ inline Sizes sizesOf(const fibre_schur_call& c) {
  const int others = 2 * c.W, bins = 2 * c.D + GROUP + c.H;
  return {others, others * c.L, others > 0 ? (c.D + 1) * others - 1 : 0, bins, bins * others};
}

/** Number of the o-th neighbour of fibre s, or −1 past the edges. */
__device__ inline int neighbour(int s, int o, int W, int F) {
  const int f = o < W ? s - W + o : s + 1 + o - W;
  return f >= 0 && f < F ? f : -1;
}

/** K[(t, f), (u, g)], 0 outside the band. */
__device__ inline double couplingOf(const double* band, int HK, int F, int t, int f, int u, int g) {
  const int m = t * F + f, n = u * F + g;
  const int d = m > n ? m - n : n - m;
  return d > HK ? 0.0 : *element(band, HK, m > n ? m : n, m > n ? n : m);
}

}  // namespace

__global__ void __launch_bounds__(BLOCK) fibreSchurKernel(Schur k) {
  TS_DYNAMIC_SHARED(shared);
  const fibre_schur_call& c = k.c;
  const int F = c.F, L = c.L, D = c.D, W = c.W, H = c.H, HK = c.HK;
  const Sizes z = sizesOf(c);
  const int others = z.others, N = z.unknowns, half = z.half;
  const int64_t fibre = k.first + blockIdx.x;
  const int s = static_cast<int>(fibre % F);
  const double* band = c.band + fibre / F * F * L * (HK + 1);
  double* a = k.work + static_cast<int64_t>(blockIdx.x) * (static_cast<int64_t>(N) * (half + 1) +
                                                         static_cast<int64_t>(z.rows) * L);
  double* x = a + static_cast<int64_t>(N) * (half + 1);
  const int thread = static_cast<int>(threadIdx.x);
  for (int64_t index = thread; index < static_cast<int64_t>(N) * (half + 1); index += BLOCK) {
    const int i = static_cast<int>(index / (half + 1));
    const int j = i - half + static_cast<int>(index % (half + 1));
    double value = 0;
    if (j >= 0) {
      const int t = i / others, u = j / others;
      const int f = neighbour(s, i % others, W, F), g = neighbour(s, j % others, W, F);
      value = f >= 0 && g >= 0 ? couplingOf(band, HK, F, t, f, u, g) : i == j ? 1.0 : 0.0;
    }
    a[index] = value;
  }
  __syncthreads();
  const bool sound = N == 0 || blockCholesky(N, half, a, shared);
  __syncthreads();
  // element r of column j at x[r·L + j], r counted from the first bin of the column's group
  for (int j = thread; sound && j < L; j += BLOCK) {
    const int first = (j - j % GROUP - D) * others;
    const int end = first + z.rows < N ? first + z.rows : N;
    for (int r = first > 0 ? first : 0; r < end; r++) {
      const int t = r / others, f = neighbour(s, r % others, W, F);
      const bool coupled = f >= 0 && t - j <= D && j - t <= D;
      double value = coupled ? couplingOf(band, HK, F, t, f, j, s) : 0.0;
      const int low = first > 0 ? first : 0;
      for (int m = r - half > low ? r - half : low; m < r; m++) {
        value -= *element(a, half, r, m) * x[static_cast<int64_t>(m - first) * L + j];
      }
      x[static_cast<int64_t>(r - first) * L + j] = value / *element(a, half, r, r);
    }
  }
  __syncthreads();
  double* out = c.s + fibre * L * (H + 1);
  for (int64_t index = thread; index < static_cast<int64_t>(L) * (H + 1); index += BLOCK) {
    const int i = static_cast<int>(index / (H + 1));
    const int j = i - H + static_cast<int>(index % (H + 1));
    double value = 0;
    if (j >= 0) {
      const int first = (i - i % GROUP - D) * others, before = (j - j % GROUP - D) * others;
      const int stop = before + z.rows < N ? before + z.rows : N;
      value = couplingOf(band, HK, F, i, s, j, s);
      double sum = 0;
      for (int r = first > 0 ? first : 0; r < stop; r++) {
        sum += x[static_cast<int64_t>(r - first) * L + i] * x[static_cast<int64_t>(r - before) * L + j];
      }
      value = sound ? value - sum : notANumber();
    }
    out[index] = value;
  }
}

int32_t fibre_schur(Context& context, const fibre_schur_call& c, Work& work) {
  const Sizes z = sizesOf(c);
  const int64_t each = (static_cast<int64_t>(z.unknowns) * (z.half + 1) + static_cast<int64_t>(z.rows) * c.L) * 8;
  const int64_t fibres = static_cast<int64_t>(c.B) * c.F;
  int64_t slots = 0;
  if (work.plan(each, c.L == 0 ? 0 : fibres, &slots) || c.L == 0) return TS_OK;
  for (int64_t first = 0; first < fibres; first += slots) {
    const int64_t n = fibres - first < slots ? fibres - first : slots;
    const Schur k = {c, reinterpret_cast<double*>(work.address), first};
    TS_LAUNCH(fibreSchurKernel, dim3(static_cast<unsigned>(n)), static_cast<size_t>(bandedShared(z.half)) * 8, k);
  }
  return TS_OK;
}

}  // namespace twinspec
