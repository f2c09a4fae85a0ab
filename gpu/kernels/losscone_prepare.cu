// From flux to the tables of the loss-cone fit: pitch angles a thread a cell; normalised flux and tables a warp a row, for
// which the cells of a row lie side by side. Twins: core/assembly/losscone_prepare.ts, core/kernels/losscone_prepare.ts.
#include "losscone.cuh"

namespace twinspec {

namespace {

constexpr unsigned LANES = 0xffffffffu;
constexpr int WARPS = BLOCK / WARP;
constexpr double LEAST_FLUX = 1e-6;
constexpr double LILLIS_LOW = 0.07, LILLIS_HIGH = 0.79;
/** The archive's fills: flux ±9.99e-99, azimuth 998.99 and 999.99. */
constexpr double FILL_FLUX = 1e-90, FILL_AZIMUTH = 998.0;

__device__ inline bool positive(double F) { return F > 0.0 && F < infinity(); }

__device__ inline double unfilled(double F, int FILL) {
  return FILL == 0 && F != 0.0 && fabs(F) < FILL_FLUX ? notANumber() : F;
}

__device__ inline double warpSum(double value) {
  for (int half = WARP / 2; half > 0; half /= 2) value += __shfl_down_sync(LANES, value, half);
  return __shfl_sync(LANES, value, 0);
}

__device__ inline double warpLargest(double value) {
  for (int half = WARP / 2; half > 0; half /= 2) {
    const double other = __shfl_down_sync(LANES, value, half);
    if (other > value) value = other;
  }
  return __shfl_sync(LANES, value, 0);
}

/** Blocks for rows, a warp each. */
dim3 warpsFor(int64_t rows) { return dim3(static_cast<unsigned>(ceilDivide(rows, WARPS))); }

}  // namespace

__global__ void __launch_bounds__(BLOCK) lossconePitchKernel(losscone_pitch_call c) {
  const int64_t cell = globalIndex();
  if (cell >= static_cast<int64_t>(c.B) * c.R * c.P) return;
  const int64_t row = cell / c.P;
  const double azimuth = c.phi[cell];
  if (c.FILL == 0 && azimuth >= FILL_AZIMUTH) {
    c.pitch[cell] = notANumber();
    return;
  }
  const double p = c.polarity[row];
  const double x = c.field[3 * row], y = c.field[3 * row + 1], z = c.field[3 * row + 2];
  const double scale = (p == 1.0 || p == -1.0 ? p : notANumber()) / sqrt(x * x + y * y + z * z);
  const double t = c.theta[cell % c.P] * DEGREE, f = azimuth * DEGREE;
  const double level = cos(t);
  const double dot = (x * (cos(f) * level) + y * (sin(f) * level) + z * sin(t)) * scale;
  c.pitch[cell] = acos(dot < -1.0 ? -1.0 : dot > 1.0 ? 1.0 : dot) / DEGREE;
}

int32_t losscone_pitch(Context& context, const losscone_pitch_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.R * c.P;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(lossconePitchKernel, blocksFor(n), 0, c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) lossconeNormaliseKernel(losscone_normalise_call c) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * WARPS + threadIdx.x / WARP;
  if (row >= static_cast<int64_t>(c.B) * c.R) return;
  const int lane = static_cast<int>(threadIdx.x) % WARP;
  const double *f = c.flux + row * c.P, *a = c.pitch + row * c.P;
  double* d = c.norm + row * c.P;
  double sum = 0, count = 0, highest = 0;
  double incident = 0, reflected = 0;
  double nearest = infinity();
  int nearestCell = -1;
  for (int j = lane; j < c.P; j += WARP) {
    const double F = unfilled(f[j], c.FILL), alpha = a[j];
    if (alpha < 90.0) incident = 1;
    if (alpha >= 90.0) reflected = 1;
    const double off = fabs(alpha - 90.0);
    if (off < nearest) {
      nearest = off;
      nearestCell = j;
    }
    if (!(alpha < 90.0 && positive(F))) continue;
    sum += F;
    count += 1;
    if (F > highest) highest = F;
  }
  sum = warpSum(sum);
  count = warpSum(count);
  highest = warpLargest(highest);
  if (c.RATIO2 != 0) {
    incident = warpSum(incident);
    reflected = warpSum(reflected);
    for (int half = WARP / 2; half > 0; half /= 2) {
      const double other = __shfl_down_sync(LANES, nearest, half);
      const int cell = __shfl_down_sync(LANES, nearestCell, half);
      if (other < nearest || (other == nearest && cell >= 0 && cell < nearestCell)) {
        nearest = other;
        nearestCell = cell;
      }
    }
    nearestCell = __shfl_sync(LANES, nearestCell, 0);
    const bool whole = incident > 0 && reflected > 0 && count > 0;
    for (int j = lane; j < c.P; j += WARP) {
      const double alpha = a[j], F = unfilled(f[j], c.FILL);
      double value = notANumber();
      if (whole && positive(F)) {
        if (alpha < 90.0) value = 1.0;
        else if (alpha >= 90.0) {
          double best = infinity();
          for (int i = 0; i < c.P; i++) {
            const double beta = a[i], G = unfilled(f[i], c.FILL);
            if (!(beta < 90.0 && positive(G))) continue;
            const double off = fabs(beta - (180.0 - alpha));
            if (off < best) {
              best = off;
              value = F / G;
            }
          }
        }
      }
      d[j] = whole && j == nearestCell ? 1.0 : value;
    }
  } else {
    const double s = c.HIGHEST != 0 ? highest : sum / (count > 1 ? count : 1);
    const double scale = count == 0 ? notANumber() : s < LEAST_FLUX ? LEAST_FLUX : s;
    for (int j = lane; j < c.P; j += WARP) d[j] = unfilled(f[j], c.FILL) / scale;
  }
  const bool used = c.energy[row] >= c.potential[row];
  for (int j = lane; j < c.P; j += WARP) {
    bool counts = used && positive(d[j]) && !isnan(a[j]);
    if (c.METHOD != 0) {
      const double F = unfilled(f[j], c.FILL), share = F / highest;
      counts = counts && positive(F) && share > LILLIS_LOW && share < LILLIS_HIGH;
    }
    c.mask[row * c.P + j] = counts ? 1 : 0;
  }
}

/** Cells of the mask, a block a sweep. */
__global__ void __launch_bounds__(BLOCK) lossconeValidKernel(losscone_normalise_call c) {
  TS_DYNAMIC_SHARED(scratch);
  const int cells = c.R * c.P;
  const uint8_t* mask = c.mask + static_cast<int64_t>(blockIdx.x) * cells;
  double n = 0;
  for (int i = static_cast<int>(threadIdx.x); i < cells; i += BLOCK) n += mask[i];
  n = blockSum(n, scratch);
  if (threadIdx.x == 0) c.valid[blockIdx.x] = static_cast<int32_t>(n);
}

int32_t losscone_normalise(Context& context, const losscone_normalise_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  const int64_t rows = static_cast<int64_t>(c.B) * c.R;
  if (rows > 0) TS_LAUNCH(lossconeNormaliseKernel, warpsFor(rows), 0, c);
  TS_LAUNCH(lossconeValidKernel, dim3(static_cast<unsigned>(c.B)), BLOCK * sizeof(double), c);
  return TS_OK;
}

/** Every cell finds its own place; the sums are one lane's, in order. */
__global__ void __launch_bounds__(BLOCK) lossconeTablesKernel(losscone_tables_call c) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * WARPS + threadIdx.x / WARP;
  if (row >= static_cast<int64_t>(c.B) * c.R) return;
  const int lane = static_cast<int>(threadIdx.x) % WARP;
  const int64_t first = row * c.P;
  const double *a = c.pitch + first, *d = c.norm + first;
  const uint8_t* mask = c.mask + first;
  const double s = c.constants[1], g = c.constants[2];
  const double inside = c.METHOD == 0 ? logarithm(g + EPSILON) : g;
  const double outside = c.METHOD == 0 ? logarithm(1.0 + EPSILON) : 1.0;
  double valid = 0;
  for (int j = lane; j < c.P; j += WARP) valid += mask[j] != 0;
  const int n = static_cast<int>(warpSum(valid));
  for (int j = lane; j < c.P; j += WARP) {
    if (j >= n) {
      c.sine[first + j] = 2.0;
      c.beam[first + j] = 0.0;
      c.y[first + j] = 0.0;
    }
    if (mask[j] == 0) continue;
    const double alpha = a[j];
    int rank = 0;
    for (int i = 0; i < c.P; i++) {
      if (mask[i] != 0 && (a[i] > alpha || (a[i] == alpha && i < j))) rank++;
    }
    c.sine[first + rank] = sineSquared(alpha);
    c.beam[first + rank] = beamPitch(alpha, s);
    c.y[first + rank] = c.METHOD == 0 ? logarithm(d[j] + EPSILON) : d[j];
  }
  __syncwarp();
  if (lane != 0) return;
  c.cells[row] = n;
  const double* y = c.y + first;
  double* prefix = c.prefix + row * (c.P + 1);
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (y[i] - outside) * (y[i] - outside);
  prefix[0] = sum;
  for (int i = 0; i < c.P; i++) {
    const double more = i < n ? (y[i] - inside) * (y[i] - inside) - (y[i] - outside) * (y[i] - outside) : 0.0;
    sum += more;
    prefix[i + 1] = sum;
  }
}

int32_t losscone_tables(Context& context, const losscone_tables_call& c, Work& work) {
  const int64_t rows = static_cast<int64_t>(c.B) * c.R;
  if (work.none() || rows == 0) return TS_OK;
  TS_LAUNCH(lossconeTablesKernel, warpsFor(rows), 0, c);
  return TS_OK;
}

}  // namespace twinspec
