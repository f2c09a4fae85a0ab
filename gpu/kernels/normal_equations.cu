// Normal equations of an extraction patch straight from spots, a warp an unknown.
// Twins: core/assembly/normal_equations.ts, whose header has the formulas, core/kernels/normal_equations.ts.
#include "patch.cuh"

namespace twinspec {

namespace {

/** What a spot shares with the one of the warp: its distance in columns and rows, packed; NONE where no pixel. */
constexpr int32_t NONE = -1;
constexpr int32_t BITS = 13, MIDDLE = 1 << (BITS - 1), MASK = (1 << BITS) - 1;

struct Overlap {
  int32_t apart;
  int32_t spot;  // counted from the patch's first
};

/** Doubles of shared memory of one warp: the spot times its weights, then an overlap for each element of a row. */
int64_t sharedOfUnknown(int SX, int SY, int H) { return int64_t{SX} * SY + H + 1; }

}  // namespace

/**
 * The spot times its weights in the box, then its products with all spots up to H before it. What overlaps is found
 * first, by all lanes at once.
 */
__global__ void __launch_bounds__(BLOCK) normalEquationsKernel(normal_equations_call c) {
  TS_DYNAMIC_SHARED(shared);
  const int lane = static_cast<int>(threadIdx.x) % WARP, warp = static_cast<int>(threadIdx.x) / WARP;
  const int F = c.F, NL = c.NL, H = c.H, SX = c.SX, SY = c.SY, size = SX * SY;
  // 32 bits suffice: a row of the band for each of 2^31 unknowns is more than a GPU holds
  const int n = F * c.L;
  const int index = static_cast<int>(blockIdx.x) * WARPS + warp;
  if (index >= c.B * n) return;
  double* own = shared + warp * (size + H + 1);
  Overlap* overlaps = reinterpret_cast<Overlap*>(own + size);
  const int b = index / n, i = index % n;
  const Patch patch = patchAt(c.place, b, NL);
  const int64_t mine = patch.first + (i % F) * NL + i / F;
  const int x = c.xc[mine], y = c.yc[mine];

  const double* spot = c.spots + mine * size;
  const int64_t box = static_cast<int64_t>(b) * c.NY * c.NX;
  double light = 0, data = 0;
  for (int at = lane; at < size; at += WARP) {
    const int row = y - patch.ymin + at / SX, column = x - patch.xmin + at % SX;
    double product = 0;
    if (row >= 0 && row < patch.rows && column >= 0 && column < patch.columns) {
      const int64_t pixel = box + static_cast<int64_t>(row) * c.NX + column;
      const double weight = c.weights[pixel];
      product = spot[at] * weight;
      light += product;
      if (weight != 0) data += product * c.pixels[pixel];
    }
    own[at] = product;
  }
  for (int k = lane; k <= H; k += WARP) {
    const int j = i - H + k;
    Overlap found{NONE, 0};
    if (j >= 0) {
      found.spot = j % F * NL + j / F;
      const int dx = c.xc[patch.first + found.spot] - x, dy = c.yc[patch.first + found.spot] - y;
      if (dx > -SX && dx < SX && dy > -SY && dy < SY) found.apart = (dx + MIDDLE) << BITS | (dy + MIDDLE);
    }
    overlaps[k] = found;
  }
  light = warpSum(light);
  data = warpSum(data);
  if (lane == 0) {
    c.fw[index] = light;
    c.y[index] = data;
  }
  __syncwarp();

  const double* spots = c.spots + patch.first * size;
  double* line = c.band + static_cast<int64_t>(index) * (H + 1);
  for (int k0 = 0; k0 <= H; k0 += WARP) {
    double value = 0;
    const int k1 = k0 + WARP < H + 1 ? k0 + WARP : H + 1;
    for (int k = k0; k < k1; k++) {
      const Overlap found = overlaps[k];
      if (found.apart == NONE) continue;
      const int dx = (found.apart >> BITS) - MIDDLE, dy = (found.apart & MASK) - MIDDLE;
      const int wide = SX - abs(dx), high = SY - abs(dy);
      const double* a = own + (dy > 0 ? dy : 0) * SX + (dx > 0 ? dx : 0);
      const double* q = spots + static_cast<int64_t>(found.spot) * size + (dy < 0 ? -dy : 0) * SX +
          (dx < 0 ? -dx : 0);
      double sum = 0;
#pragma unroll 1
      for (int at = lane; at < wide * high; at += WARP) {
        const int r = at / wide;
        const int offset = r * SX + (at - r * wide);
        sum += a[offset] * q[offset];
      }
      sum = warpSum(sum);
      if (lane == k - k0) value = sum;
    }
    if (k0 + lane <= H) line[k0 + lane] = value;
  }
}

int32_t normal_equations(Context& context, const normal_equations_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.F * c.L;
  if (work.none() || n == 0) return TS_OK;
  const size_t shared = static_cast<size_t>(WARPS * sharedOfUnknown(c.SX, c.SY, c.H)) * sizeof(double);
  TS_LAUNCH(normalEquationsKernel, dim3(static_cast<unsigned>(ceilDivide(n, WARPS))), shared, c);
  return TS_OK;
}

/** A block a patch: the largest fw, then the diagonal. */
__global__ void __launch_bounds__(BLOCK) weakPriorKernel(weak_prior_call c) {
  TS_DYNAMIC_SHARED(scratch);
  const int64_t n = static_cast<int64_t>(c.F) * c.L, b = blockIdx.x;
  const double* fw = c.fw + b * n;
  const int thread = static_cast<int>(threadIdx.x);
  double most = 0;
  for (int64_t i = thread; i < n; i += BLOCK) {
    if (fw[i] > most) most = fw[i];
  }
  scratch[thread] = most;
  __syncthreads();
  for (int half = BLOCK / 2; half > 0; half /= 2) {
    if (thread < half && scratch[thread + half] > scratch[thread]) scratch[thread] = scratch[thread + half];
    __syncthreads();
  }
  const double least = 1e-4 * scratch[0];
  for (int64_t i = thread; i < n; i += BLOCK) {
    const bool few = fw[i] < least;
    const double alpha = few ? least - fw[i] : c.regularize[b];
    c.band[(b * n + i) * (c.H + 1) + c.H] += alpha * alpha + 1e-15;
    c.weak[b * n + i] = few ? 1 : 0;
  }
}

int32_t weak_prior(Context& context, const weak_prior_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(weakPriorKernel, dim3(static_cast<unsigned>(c.B)), BLOCK * sizeof(double), c);
  return TS_OK;
}

}  // namespace twinspec
