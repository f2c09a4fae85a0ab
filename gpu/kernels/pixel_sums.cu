// Model image and sums over the pixels of every bin of a patch.
// Twins: core/assembly/pixel_sums.ts, whose header has the formulas, core/kernels/pixel_sums.ts.
#include "patch.cuh"

namespace twinspec {

namespace {

/** Bins of a fibre that touch a row, [patch][row][fibre] pairs (from, to); others of the range may not. */
struct Model {
  model_image_call c;
  int32_t* touching;
  int64_t b0, patches;
};

struct Sums {
  pixel_sums_call c;
  double* chi2;
  int64_t b0, patches;
};

}  // namespace

/** A thread a row and fibre. */
__global__ void __launch_bounds__(BLOCK) touchingKernel(Model k) {
  const model_image_call& c = k.c;
  const int64_t index = globalIndex();
  if (index >= k.patches * c.NY * c.F) return;
  const int f = static_cast<int>(index % c.F);
  const int row = static_cast<int>(index / c.F % c.NY);
  const int64_t b = k.b0 + index / c.F / c.NY;
  const Patch patch = patchAt(c.place, b, c.NL);
  const int32_t* keep = c.keep + 4 * b;
  const int y = row + patch.ymin;
  int from = 0, to = 0;
  if (row < patch.rows && f >= keep[0] && f < keep[1]) {
    const int32_t* yc = c.yc + patch.first + static_cast<int64_t>(f) * c.NL;
    for (int w = keep[2]; w < keep[3]; w++) {
      if (yc[w] <= y && y < yc[w] + c.SY) {
        if (to == 0) from = w;
        to = w + 1;
      }
    }
  }
  k.touching[2 * index] = from;
  k.touching[2 * index + 1] = to;
}

/** A thread a pixel, fibre by fibre, bin by bin. */
__global__ void __launch_bounds__(BLOCK) modelImageKernel(Model k) {
  const model_image_call& c = k.c;
  const int64_t index = globalIndex();
  const int64_t pixels = static_cast<int64_t>(c.NY) * c.NX;
  if (index >= k.patches * pixels) return;
  const int64_t slot = index / pixels, b = k.b0 + slot;
  const int row = static_cast<int>(index % pixels / c.NX), column = static_cast<int>(index % c.NX);
  const Patch patch = patchAt(c.place, b, c.NL);
  double sum = 0;
  if (row < patch.rows && column < patch.columns) {
    const int x = column + patch.xmin, y = row + patch.ymin;
    const int32_t* touching = k.touching + 2 * (slot * c.NY + row) * c.F;
    const double* flux = c.x + b * c.F * c.L;
    for (int f = 0; f < c.F; f++) {
      const int64_t fibre = patch.first + static_cast<int64_t>(f) * c.NL;
      const int to = touching[2 * f + 1];
      for (int w = touching[2 * f]; w < to; w++) {
        const int64_t at = fibre + w;
        const int dx = x - c.xc[at], dy = y - c.yc[at];
        if (dx < 0 || dx >= c.SX || dy < 0 || dy >= c.SY) continue;
        sum += flux[w * c.F + f] * c.spots[(at * c.SY + dy) * c.SX + dx];
      }
    }
  }
  c.model[k.b0 * pixels + index] = sum;
}

int32_t model_image(Context& context, const model_image_call& c, Work& work) {
  int64_t slots = 0;
  if (work.plan(int64_t{8} * c.NY * c.F, c.B, &slots)) return TS_OK;
  const int64_t pixels = static_cast<int64_t>(c.NY) * c.NX;
  if (c.B == 0 || pixels == 0) return TS_OK;
  for (int64_t b0 = 0; b0 < c.B; b0 += slots) {
    const Model k{c, reinterpret_cast<int32_t*>(work.address), b0, c.B - b0 < slots ? c.B - b0 : slots};
    if (c.F > 0) TS_LAUNCH(touchingKernel, blocksFor(k.patches * c.NY * c.F), 0, k);
    TS_LAUNCH(modelImageKernel, blocksFor(k.patches * pixels), 0, k);
  }
  return TS_OK;
}

/** χ² of a pixel, a thread each. */
__global__ void __launch_bounds__(BLOCK) pixelChi2Kernel(Sums k) {
  const pixel_sums_call& c = k.c;
  const int64_t index = globalIndex();
  const int64_t pixels = static_cast<int64_t>(c.NY) * c.NX;
  if (index >= k.patches * pixels) return;
  const int64_t b = k.b0 + index / pixels, at = k.b0 * pixels + index;
  const Patch patch = patchAt(c.place, b, c.NL);
  const int row = static_cast<int>(index % pixels / c.NX), column = static_cast<int>(index % c.NX);
  double chi2 = 0;
  if (row < patch.rows && column < patch.columns) {
    const double w = c.weights[at];
    if (w > 0) {
      const double m = c.model[at];
      const double sigma = c.psferr[b] * m + 1e-32;
      const double difference = c.pixels[at] - m;
      chi2 = difference * difference / (sigma * sigma + 1.0 / w);
    }
  }
  k.chi2[index] = chi2;
}

/** A warp a bin. */
__global__ void __launch_bounds__(BLOCK) pixelSumsKernel(Sums k) {
  const pixel_sums_call& c = k.c;
  const int lane = static_cast<int>(threadIdx.x) % WARP, warp = static_cast<int>(threadIdx.x) / WARP;
  const int size = c.SX * c.SY;
  const int64_t n = static_cast<int64_t>(c.F) * c.L, pixels = static_cast<int64_t>(c.NY) * c.NX;
  const int64_t index = static_cast<int64_t>(blockIdx.x) * WARPS + warp;
  if (index >= k.patches * n) return;
  const int64_t slot = index / n, b = k.b0 + slot, i = index % n;
  const Patch patch = patchAt(c.place, b, c.NL);
  const int64_t mine = patch.first + (i % c.F) * c.NL + i / c.F;
  const int x0 = c.xc[mine] - patch.xmin, y0 = c.yc[mine] - patch.ymin;
  const double* spot = c.spots + mine * size;
  double sum = 0, dark = 0, light = 0;
  for (int at = lane; at < size; at += WARP) {
    const int row = y0 + at / c.SX, column = x0 + at % c.SX;
    if (row < 0 || row >= patch.rows || column < 0 || column >= patch.columns) continue;
    const int64_t pixel = static_cast<int64_t>(row) * c.NX + column;
    const double part = spot[at], w = c.weights[b * pixels + pixel];
    sum += part * k.chi2[slot * pixels + pixel];
    if (w == 0) dark += part;
    if (w > 0) light += part;
  }
  sum = warpSum(sum);
  dark = warpSum(dark);
  light = warpSum(light);
  if (lane == 0) {
    const int64_t to = b * n + i;
    c.chi2pix[to] = light == 0 ? 0.0 : sum / light;
    c.masked[to] = dark;
    c.seen[to] = light;
  }
}

int32_t pixel_sums(Context& context, const pixel_sums_call& c, Work& work) {
  int64_t slots = 0;
  const int64_t pixels = static_cast<int64_t>(c.NY) * c.NX, n = static_cast<int64_t>(c.F) * c.L;
  if (work.plan(8 * pixels, c.B, &slots)) return TS_OK;
  if (c.B == 0 || n == 0) return TS_OK;
  for (int64_t b0 = 0; b0 < c.B; b0 += slots) {
    const Sums k{c, reinterpret_cast<double*>(work.address), b0, c.B - b0 < slots ? c.B - b0 : slots};
    if (pixels > 0) TS_LAUNCH(pixelChi2Kernel, blocksFor(k.patches * pixels), 0, k);
    TS_LAUNCH(pixelSumsKernel, dim3(static_cast<unsigned>(ceilDivide(k.patches * n, WARPS))), 0, k);
  }
  return TS_OK;
}

}  // namespace twinspec
