// The inner step of the stellar fit: interpolate → rotate → spline → shift → resolve → chi-square, with derivatives. Not
// one kernel but a chain of a few, each over all evaluations in flight; what lies between them stays in device memory.
//
// One evaluation is (spectrum, cell, fractions t, velocity, vsini). Columns of a pixel stand side by side: m, ∂m/∂vsini,
// ∂m/∂t_0 …, [0], ∂m/∂v, 0. A chunk of 384 data pixels that reaches beyond the template is NaN, as in the twin.
// Twins: core/assembly/fit.ts, core/kernels/fit.ts.
#include "chisq.cuh"
#include "interpolate.cuh"
#include "rotation.cuh"
#include "spline.cuh"

namespace twinspec {

namespace {

constexpr int CHUNK = 384;
constexpr double LIMB_DARKENING = 0.6;

/** What every kernel of the chain gets: the tables, the evaluations e0 … e0+evaluations−1, their scratch. */
struct Shape {
  int NL, NP, K, D, C, W, H;
  int V;   // velocities an evaluation
  int NC;  // columns of the spline: 1 without derivatives
  const float* templates;
  const double *knots, *factor, *grid, *lam, *lnlam, *basis, *y, *s, *sumlog, *rows;
  const int32_t *entry, *corners;
  const double *t, *velocity, *vsini;
  int64_t e0;
  int evaluations;
  // scratch, evaluation by evaluation
  double* weights;  // w, ∂w/∂vsini, half-width
  double* planar;   // interpolated columns (D+1 or 1, NL)
  double* rotated;  // (NL, NC)
  double* z;        // (NL, NC)
  double* shifted;  // (NP, Q) or (V, NP)
  double* resolved; // the same, where W > 0

  __host__ __device__ int planarColumns() const { return NC == 1 ? 1 : D + 1; }
  __host__ __device__ int Q() const { return NC == 1 ? 1 : NC + 2; }
  __host__ __device__ int weightsSize() const { return 2 * (H + 1) + 1; }
};

template <class Call>
Shape shapeOf(const Call& c, int V, int NC) {
  Shape k{};
  k.NL = c.NL, k.NP = c.NP, k.K = c.K, k.D = c.D, k.C = c.C, k.W = c.W, k.H = c.H;
  k.V = V, k.NC = NC;
  k.templates = c.templates, k.knots = c.knots, k.factor = c.factor, k.grid = c.grid;
  k.lam = c.lam, k.lnlam = c.lnlam, k.basis = c.basis;
  k.y = c.y, k.s = c.s, k.sumlog = c.sumlog, k.rows = c.rows;
  k.entry = c.entry, k.corners = c.corners, k.t = c.t, k.velocity = c.velocity, k.vsini = c.vsini;
  return k;
}

/** Scratch of one evaluation, doubles. */
int64_t scratchOf(const Shape& k) {
  const int64_t shifted = static_cast<int64_t>(k.V) * k.NP * k.Q();
  return k.weightsSize() + static_cast<int64_t>(k.NL) * (k.planarColumns() + 2 * k.NC) + (k.W > 0 ? 2 : 1) * shifted;
}

void placeScratch(Shape& k, char* address, int64_t slots) {
  double* at = reinterpret_cast<double*>(address);
  const int64_t shifted = static_cast<int64_t>(k.V) * k.NP * k.Q();
  k.weights = at;
  at += slots * k.weightsSize();
  k.planar = at;
  at += slots * k.NL * k.planarColumns();
  k.rotated = at;
  at += slots * k.NL * k.NC;
  k.z = at;
  at += slots * k.NL * k.NC;
  k.shifted = at;
  k.resolved = k.W > 0 ? at + slots * shifted : at;
}

}  // namespace

/** A block an evaluation: weights of the rotation and their derivative by km/s. */
__global__ void __launch_bounds__(BLOCK) fitWeightsKernel(Shape k) {
  TS_DYNAMIC_SHARED(scratch);
  const int64_t slot = blockIdx.x;
  double* w = k.weights + slot * k.weightsSize();
  double* dw = w + k.H + 1;
  const double step = k.grid[1];
  const double R = k.vsini[k.e0 + slot] / LIGHT / step;
  const int half = rotationHalfWidth(R, k.H);
  rotationWeights(R, LIMB_DARKENING, half, w, dw, scratch);
  const double perKms = 1.0 / (LIGHT * step);
  for (int i = static_cast<int>(threadIdx.x); i <= half; i += BLOCK) dw[i] *= perKms;
  if (threadIdx.x == 0) w[2 * (k.H + 1)] = half;
}

template <int D>
__global__ void __launch_bounds__(BLOCK) fitInterpolateKernel(Shape k) {
  const int64_t j = globalIndex();
  if (j >= k.NL) return;
  const int64_t slot = blockIdx.y;
  const int64_t e = k.e0 + slot;
  double* out = k.planar + slot * k.NL * k.planarColumns() + j;
  interpolatePixel<D>(k.templates, k.NL, j, k.corners + e * k.C, k.t + e * D, out, k.NL, k.NC > 1);
}

/** A thread a knot: all columns of it. */
__global__ void __launch_bounds__(BLOCK) fitRotateKernel(Shape k) {
  const int64_t index = globalIndex();
  if (index >= k.NL) return;
  const int j = static_cast<int>(index);
  const int64_t slot = blockIdx.y;
  const double* w = k.weights + slot * k.weightsSize();
  const double* dw = w + k.H + 1;
  const int half = static_cast<int>(w[2 * (k.H + 1)]);
  const double* planar = k.planar + slot * k.NL * k.planarColumns();
  double* out = k.rotated + (slot * k.NL + j) * k.NC;
  out[0] = convolve(k.NL, half, planar, w, j);
  if (k.NC == 1) return;
  out[1] = convolve(k.NL, half, planar, dw, j);
  for (int d = 0; d < k.D; d++) out[2 + d] = convolve(k.NL, half, planar + static_cast<int64_t>(1 + d) * k.NL, w, j);
  if (k.D & 1) out[2 + k.D] = 0;
}

/** A thread a column of a chunk of knots. */
__global__ void __launch_bounds__(BLOCK) fitSplineKernel(Shape k) {
  TS_DYNAMIC_SHARED(shared);
  const int chunks = (k.NL + CHUNK_KNOTS - 1) / CHUNK_KNOTS;
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(chunks) * k.NC) return;
  const int chunk = static_cast<int>(index / k.NC);
  const int column = static_cast<int>(index % k.NC);
  const int64_t at = static_cast<int64_t>(blockIdx.y) * k.NL * k.NC + column;
  splineChunk(k.NL, chunk * CHUNK_KNOTS, k.factor, k.rotated + at, k.z + at, k.NC, shared + threadIdx.x, BLOCK);
}

/** A thread a data pixel: template and derivatives at its place in the rest frame. */
__global__ void __launch_bounds__(BLOCK) fitPixelsKernel(Shape k) {
  const int64_t index = globalIndex();
  if (index >= k.NP) return;
  const int i = static_cast<int>(index);
  const int64_t slot = blockIdx.y;
  const int NC = k.NC, Q = k.Q();
  const double velocity = k.velocity[k.e0 + slot];
  const double q = dopplerFactor(velocity);
  const double beta = velocity / LIGHT;
  const double dlnq = -1.0 / ((1.0 - beta * beta) * LIGHT);  // per km/s
  const double inverseStep = 1.0 / k.grid[1];
  const double qshift = log(q) - k.grid[0];
  double* out = k.shifted + (slot * k.NP + i) * Q;

  const int p0 = i / CHUNK * CHUNK;
  const int p1 = p0 + CHUNK < k.NP ? p0 + CHUNK : k.NP;
  const double first = (k.lnlam[p0] + qshift) * inverseStep;
  const double last = (k.lnlam[p1 - 1] + qshift) * inverseStep;
  if (!(first >= 0 && last <= static_cast<double>(k.NL - 1))) {
    // off the template: the caller's coverage check should have seen it; NaN says so
    for (int c = 0; c < Q; c++) out[c] = notANumber();
    return;
  }
  int j = static_cast<int>((k.lnlam[i] + qshift) * inverseStep);
  j = j < 0 ? 0 : j > k.NL - 2 ? k.NL - 2 : j;
  const double* f = k.factor + 4 * static_cast<int64_t>(j);
  const double h = f[0];
  const double inverse = f[1];
  const double observed = k.lam[i];
  const double u = (observed * q - k.knots[j]) * inverse;
  const double v = 1.0 - u;
  const double hh = h * h;
  const double w2 = hh * (v * v - 1.0) * v;
  const double w3 = hh * (u * u - 1.0) * u;
  const double* y = k.rotated + (slot * k.NL + j) * NC;
  const double* z = k.z + (slot * k.NL + j) * NC;
  const double slope = (y[NC] - y[0]) * inverse + h * ((3.0 * u * u - 1.0) * z[NC] - (3.0 * v * v - 1.0) * z[0]);
  for (int c = 0; c < NC; c++) out[c] = (v * y[c] + u * y[NC + c]) + (w2 * z[c] + w3 * z[NC + c]);
  out[NC] = slope * observed * q * dlnq;
  out[NC + 1] = 0;
}

/** out[i·Q + q] = Σ_m rows[i, m] T[(i+m−W/2)·Q + q], a thread an element. */
__global__ void __launch_bounds__(BLOCK) fitResolveKernel(Shape k) {
  const int64_t index = globalIndex();
  const int Q = k.Q();
  if (index >= static_cast<int64_t>(k.NP) * Q) return;
  const int64_t slot = blockIdx.y;
  const int i = static_cast<int>(index / Q);
  const int q = static_cast<int>(index % Q);
  const int half = k.W >> 1;
  const int m0 = half - i > 0 ? half - i : 0;
  const int m1 = k.NP + half - i < k.W ? k.NP + half - i : k.W;
  const double* r = k.rows + (static_cast<int64_t>(k.entry[k.e0 + slot]) * k.NP + i) * k.W;
  const double* from = k.shifted + (slot * k.NP + i - half) * Q + q;
  double sum = 0;
  for (int m = m0; m < m1; m++) sum += r[m] * from[static_cast<int64_t>(m) * Q];
  k.resolved[slot * k.NP * Q + index] = sum;
}

namespace {

struct Evaluate {
  Shape k;
  double *value, *gradient, *curvature;
};

struct Shift {
  Shape k;
  double* value;
  // of fit_model, else null
  double *chi2, *coeff, *template_, *model;
  const uint8_t* good;
};

}  // namespace

/** A block an evaluation: chi-square with derivatives, put into the order velocity, vsini, t. */
__global__ void __launch_bounds__(BLOCK, 1) fitGradientKernel(Evaluate p) {
  TS_DYNAMIC_SHARED(shared);
  const Shape& k = p.k;
  const int Q = k.Q();
  const ChisqLayout at(k.K, Q);
  const int64_t slot = blockIdx.x;
  const int64_t e = k.e0 + slot;
  const int64_t b = k.entry[e];
  const double f = projectedGradient(k.NP, k.K, Q, k.basis, k.y + b * k.NP, k.s + b * k.NP,
                                     k.resolved + slot * k.NP * Q, at, shared);
  const int P = k.D + 2;
  const int thread = static_cast<int>(threadIdx.x);
  if (thread == 0) p.value[e] = f + k.sumlog[b];
  for (int i = thread; i < P; i += BLOCK) p.gradient[e * P + i] = shared[at.gradient + (i == 0 ? Q - 2 : i)];
  for (int index = thread; index < P * P; index += BLOCK) {
    const int i = index / P, j = index % P;
    p.curvature[e * P * P + index] = shared[at.curvature + (i == 0 ? Q - 2 : i) * Q + (j == 0 ? Q - 2 : j)];
  }
}

/** A block an evaluation and velocity: the template alone, shifted and resolved, and its chi-square. */
__global__ void __launch_bounds__(BLOCK) fitShiftKernel(Shift p) {
  TS_DYNAMIC_SHARED(shared);
  const Shape& k = p.k;
  const ChisqLayout at(k.K, 0);
  const int64_t slot = blockIdx.y;
  const int64_t e = k.e0 + slot;
  const int64_t b = k.entry[e];
  const int64_t ev = e * k.V + blockIdx.x;
  const double* y = k.rotated + slot * k.NL;
  const double* z = k.z + slot * k.NL;
  const int64_t column = (slot * k.V + blockIdx.x) * k.NP;
  double* out = p.template_ != nullptr ? p.template_ + e * k.NP : k.resolved + column;
  double* to = k.W > 0 ? k.shifted + column : out;
  const double q = dopplerFactor(k.velocity[ev]);
  const double qshift = log(q) - k.grid[0];
  const double inverseStep = 1.0 / k.grid[1];
  for (int i = static_cast<int>(threadIdx.x); i < k.NP; i += BLOCK) {
    const double position = (k.lnlam[i] + qshift) * inverseStep;
    if (!(position >= 0 && position <= static_cast<double>(k.NL - 1))) {
      to[i] = notANumber();
      continue;
    }
    int j = static_cast<int>(position);
    j = j > k.NL - 2 ? k.NL - 2 : j;
    const double* f = k.factor + 4 * static_cast<int64_t>(j);
    const double h = f[0];
    const double u = (k.lam[i] * q - k.knots[j]) * f[1];
    const double v = 1.0 - u;
    to[i] = v * y[j] + u * y[j + 1] + h * h * ((v * v - 1.0) * v * z[j] + (u * u - 1.0) * u * z[j + 1]);
  }
  __syncthreads();
  if (k.W > 0) {
    const int half = k.W >> 1;
    const double* rows = k.rows + b * k.NP * k.W;
    for (int i = static_cast<int>(threadIdx.x); i < k.NP; i += BLOCK) {
      const int m0 = half - i > 0 ? half - i : 0;
      const int m1 = k.NP + half - i < k.W ? k.NP + half - i : k.W;
      double sum = 0;
      for (int m = m0; m < m1; m++) sum += rows[static_cast<int64_t>(i) * k.W + m] * to[i + m - half];
      out[i] = sum;
    }
    __syncthreads();
  }
  const double* data = k.y + b * k.NP;
  const double* weight = k.s + b * k.NP;
  double* model = p.model != nullptr ? p.model + e * k.NP : nullptr;
  const double det = marginalise(k.NP, k.K, k.basis, data, weight, out, 1, at, shared);
  const double chi = residual(k.NP, k.K, k.basis, data, weight, out, model, at, shared);
  if (threadIdx.x == 0) p.value[ev] = det + chi + k.sumlog[b];
  if (model == nullptr) return;
  const double good = goodResidual(k.NP, data, weight, model, p.good + b * k.NP, at, shared);
  if (threadIdx.x == 0) p.chi2[e] = good;
  for (int i = static_cast<int>(threadIdx.x); i < k.K; i += BLOCK) p.coeff[e * k.K + i] = shared[at.coeff + i];
}

namespace {

/** Rotated columns on all knots and z of their splines. */
int32_t startShape(Context& context, const Shape& k) {
  const unsigned evaluations = static_cast<unsigned>(k.evaluations);
  const dim3 pixels(static_cast<unsigned>(ceilDivide(k.NL, BLOCK)), evaluations);
  TS_LAUNCH(fitWeightsKernel, dim3(evaluations), BLOCK * sizeof(double), k);
  TS_LAUNCH_AXES(k.D, fitInterpolateKernel, pixels, 0, k);
  TS_LAUNCH(fitRotateKernel, pixels, 0, k);
  const int64_t threads = ceilDivide(k.NL, CHUNK_KNOTS) * k.NC;
  const dim3 chunks(static_cast<unsigned>(ceilDivide(threads, BLOCK)), evaluations);
  TS_LAUNCH(fitSplineKernel, chunks, BLOCK * WARMUP * sizeof(double), k);
  return TS_OK;
}

int32_t checkFit(const char* name, const Shape& k) {
  const int32_t wrong = chisqFits(name, k.K, k.NC == 1 ? 0 : k.Q());
  if (wrong != TS_OK) return wrong;
  if (k.C != 1 << k.D) return fail(TS_INVALID, "%s: C = %d is not 2^D, D = %d", name, k.C, k.D);
  if (k.NL < 2) return fail(TS_INVALID, "%s: %d template pixels, at least 2 are needed", name, k.NL);
  return TS_OK;
}

int32_t startShift(Context& context, Shift& p, int64_t E, const Work& work, int64_t slots) {
  placeScratch(p.k, work.address, slots);
  for (int64_t e0 = 0; e0 < E; e0 += slots) {
    p.k.e0 = e0;
    p.k.evaluations = static_cast<int>(E - e0 < slots ? E - e0 : slots);
    const int32_t code = startShape(context, p.k);
    if (code != TS_OK) return code;
    const dim3 grid(static_cast<unsigned>(p.k.V), static_cast<unsigned>(p.k.evaluations));
    TS_LAUNCH(fitShiftKernel, grid, chisqShared(p.k.K, 0), p);
  }
  return TS_OK;
}

}  // namespace

int32_t fit_evaluate(Context& context, const fit_evaluate_call& c, Work& work) {
  Evaluate p = {shapeOf(c, 1, 2 * ((c.D + 3) / 2)), c.value, c.gradient, c.curvature};
  int64_t slots = 0;
  if (work.plan(scratchOf(p.k) * 8, c.E, &slots) || c.E == 0) return TS_OK;
  const int32_t wrong = checkFit("fit_evaluate", p.k);
  if (wrong != TS_OK) return wrong;
  if (p.k.Q() != c.Q) return fail(TS_INVALID, "fit_evaluate: Q = %d, D = %d needs %d", c.Q, c.D, p.k.Q());
  placeScratch(p.k, work.address, slots);
  for (int64_t e0 = 0; e0 < c.E; e0 += slots) {
    p.k.e0 = e0;
    p.k.evaluations = static_cast<int>(c.E - e0 < slots ? c.E - e0 : slots);
    const unsigned evaluations = static_cast<unsigned>(p.k.evaluations);
    const int32_t code = startShape(context, p.k);
    if (code != TS_OK) return code;
    if (c.NP > 0) {
      TS_LAUNCH(fitPixelsKernel, dim3(static_cast<unsigned>(ceilDivide(c.NP, BLOCK)), evaluations), 0, p.k);
      if (c.W > 0) {
        const int64_t elements = static_cast<int64_t>(c.NP) * c.Q;
        TS_LAUNCH(fitResolveKernel, dim3(static_cast<unsigned>(ceilDivide(elements, BLOCK)), evaluations), 0, p.k);
      }
    }
    TS_LAUNCH(fitGradientKernel, dim3(evaluations), chisqShared(c.K, c.Q), p);
  }
  return TS_OK;
}

int32_t fit_scan(Context& context, const fit_scan_call& c, Work& work) {
  Shift p{};
  p.k = shapeOf(c, c.V, 1);
  p.value = c.value;
  int64_t slots = 0;
  if (work.plan(scratchOf(p.k) * 8, c.V == 0 ? 0 : c.E, &slots) || c.E == 0 || c.V == 0) return TS_OK;
  const int32_t wrong = checkFit("fit_scan", p.k);
  if (wrong != TS_OK) return wrong;
  return startShift(context, p, c.E, work, slots);
}

int32_t fit_model(Context& context, const fit_model_call& c, Work& work) {
  Shift p{shapeOf(c, 1, 1), c.value, c.chi2, c.coeff, c.template_, c.model, c.good};
  int64_t slots = 0;
  if (work.plan(scratchOf(p.k) * 8, c.E, &slots) || c.E == 0) return TS_OK;
  const int32_t wrong = checkFit("fit_model", p.k);
  if (wrong != TS_OK) return wrong;
  return startShift(context, p, c.E, work, slots);
}

}  // namespace twinspec
