// Currents to a body in a kappa plasma, and the potentials at which they balance: a warp a distribution, a lane every
// 32nd energy, the energies and their weights once a block in shared memory; roots are found warp by warp, all lanes
// with the same numbers. Twins: core/assembly/currents.ts, core/kernels/currents.ts.
#include "kappa.cuh"

namespace twinspec {

constexpr double CHARGE = 1.602176634e-19;
constexpr double PROTON = 1.67262192369e-27;

// ELECTRON CURRENT //

/** Simpson's weight of point k on the points first … last, an even number of intervals. */
static __device__ inline double simpson(const double* x, int k, int first, int last) {
  if (k < first || k > last) return 0;
  double weight = 0;
  if (((k - first) & 1) == 1) {
    const double h0 = x[k] - x[k - 1], h1 = x[k + 1] - x[k];
    return (h0 + h1) / 6.0 * ((h0 + h1) * (h0 + h1) / (h0 * h1));
  }
  if (k > first) {
    const double h0 = x[k - 1] - x[k - 2], h1 = x[k] - x[k - 1];
    weight += (h0 + h1) / 6.0 * (2.0 - h0 / h1);
  }
  if (k < last) {
    const double h0 = x[k + 1] - x[k], h1 = x[k + 2] - x[k + 1];
    weight += (h0 + h1) / 6.0 * (2.0 - h1 / h0);
  }
  return weight;
}

/** Half the interval, for the end points of a trapezoid. */
static __device__ inline double trapezoid(const double* x, int k, int first) {
  return k == first || k == first + 1 ? 0.5 * (x[first + 1] - x[first]) : 0.0;
}

__global__ void __launch_bounds__(BLOCK) electronCurrentKernel(electron_current_call c) {
  TS_DYNAMIC_SHARED(x);
  double* weights = x + c.P;
  const int P = c.P, thread = static_cast<int>(threadIdx.x);
  const double step = log(2000.0) / (P - 1);
  for (int k = thread; k < P; k += BLOCK) x[k] = 10.0 * exp(k * step);
  __syncthreads();
  for (int k = thread; k < P; k += BLOCK) {
    weights[k] = (P & 1) == 1 ? simpson(x, k, 0, P - 1)
                              : 0.5 * (simpson(x, k, 0, P - 2) + trapezoid(x, k, P - 2) + trapezoid(x, k, 0) +
                                       simpson(x, k, 1, P - 1));
  }
  __syncthreads();
  const int64_t b = warpIndex();
  const int lane = laneIndex();
  if (b >= c.B) return;
  const double kb = c.kappa[b], speed = c.theta[b];
  const double front = lnNorm(kb) - 3.0 * log(speed), scale = 2.0 / (MASS * kb * speed * speed);
  double sum = 0;
  for (int k = lane; k < P; k += WARP) {
    const double e = x[k];
    const double flux = SPHERE * 2.0 * e / (MASS * MASS) * exp(front - (kb + 1.0) * log1p(e * scale));
    sum += weights[k] * flux;
  }
  sum = warpTotal(sum);
  if (lane == 0) c.current[b] = CHARGE * 0.25e4 * c.density[b] * sum;
}

int32_t electron_current(Context& context, const electron_current_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(electronCurrentKernel, blocksOfWarps(c.B), 2 * c.P * sizeof(double), c);
  return TS_OK;
}

// SUNLIT //

__global__ void __launch_bounds__(BLOCK) photoelectronPotentialKernel(photoelectron_potential_call c) {
  const int64_t b = globalIndex();
  if (b >= c.B) return;
  const double wanted = c.current[b];
  double low = 0, high = 150;
  const double most = 1.07e-6 + 1.6e-8, least = 1.07e-6 * exp(-30.0) + 1.6e-8 * exp(-2.5);
  if (!(wanted >= least && wanted <= most)) {
    c.potential[b] = notANumber();
    return;
  }
  double u = 0;
  for (int step = 0; step < 200; step++) {
    const double fast = 1.07e-6 * exp(-u / 5.0), slow = 1.6e-8 * exp(-u / 60.0);
    const double j = fast + slow, slope = fast / 5.0 + slow / 60.0;
    if (j > wanted) low = u;
    else high = u;
    // Newton's step on ln J, which is convex: from below it never passes the root
    double next = u + log(j / wanted) * j / slope;
    if (!(next >= low && next <= high)) next = 0.5 * (low + high);
    const double moved = fabs(next - u);
    u = next;
    if (moved <= 1e-14 * (1.0 + u)) break;
  }
  c.potential[b] = u;
}

int32_t photoelectron_potential(Context& context, const photoelectron_potential_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(photoelectronPotentialKernel, blocksFor(c.B), 0, c);
  return TS_OK;
}

// SHADOW //

constexpr int POINTS = 500;

/** Energies and their trapezoid weights within the range, by a block; all threads meet at its end. */
static __device__ inline void shadowGrid(double* e, double* weights) {
  const int thread = static_cast<int>(threadIdx.x);
  const double step = log(20000.0) / (POINTS - 1);
  for (int k = thread; k < POINTS; k += BLOCK) e[k] = exp(k * step);
  __syncthreads();
  for (int k = thread; k < POINTS; k += BLOCK) {
    const double low = k > 0 ? e[k - 1] : e[0], high = k < POINTS - 1 ? e[k + 1] : e[k];
    weights[k] = 0.5 * (high - low);
  }
  __syncthreads();
}

struct Currents {
  double electrons, secondaries, ions, sum;
};

/** J_i + J_see − J_e at U and its parts, by a warp. */
static __device__ inline Currents balance(const double* e, const double* weights, double density, double kappa,
                                          double theta, double lnG, double u) {
  const double PI = 3.14159265358979323846;
  const double temperature = theta * theta * MASS_OVER_CHARGE * kappa / (2.0 * (kappa - 1.5));
  const double outside = temperature + u / (kappa - 1.5);
  if (outside <= 0) return {0, 0, 1e12, 1e12};
  const double speed2 = 2.0 * outside * (kappa - 1.5) / (MASS_OVER_CHARGE * kappa);
  const double front = lnG - 1.5 * log(speed2), scale = 2.0 / (MASS * kappa * speed2);
  const double barrier = fabs(u);
  double je = 0, jsee = 0;
  for (int k = laneIndex(); k < POINTS; k += WARP) {
    const double energy = e[k];
    if (!(energy >= barrier)) continue;
    double weight = weights[k];
    // the first energy beyond the barrier has no interval before it
    if (k == 0 || e[k - 1] < barrier) weight = k < POINTS - 1 ? 0.5 * (e[k + 1] - energy) : 0.0;
    const double phi = weight * energy * exp(front - (kappa + 1.0) * log1p(energy * scale));
    const double x = (energy - barrier) / 500.0;
    je += phi;
    jsee += phi * (11.100000000000001 * x * exp(-2.0 * sqrt(x)));
  }
  je = warpTotal(je);
  jsee = warpTotal(jsee);
  const double scaled = CHARGE * 0.25e4 * density * SPHERE * 2.0 / (MASS * MASS);
  const double ti = outside + 1e-6, share = 1.0 - u / ti;
  Currents now;
  now.electrons = scaled * je;
  now.secondaries = scaled * jsee;
  now.ions = CHARGE * density * sqrt(CHARGE * ti / (2.0 * PI * PROTON)) * sqrt(share < 0 ? 0.0 : share);
  now.sum = now.ions + now.secondaries - now.electrons;
  return now;
}

__global__ void __launch_bounds__(BLOCK) shadowCurrentsKernel(shadow_currents_call c) {
  TS_DYNAMIC_SHARED(e);
  double* weights = e + POINTS;
  shadowGrid(e, weights);
  const int64_t index = warpIndex();
  if (index >= static_cast<int64_t>(c.B) * c.N) return;
  const int64_t b = index / c.N;
  const double k = c.kappa[b];
  const Currents now = balance(e, weights, c.density[b], k, c.theta[b], lnNorm(k), c.potential[index]);
  if (laneIndex() != 0) return;
  const bool unknown = now.sum != now.sum;
  c.currents[3 * index] = unknown ? notANumber() : now.electrons;
  c.currents[3 * index + 1] = unknown ? notANumber() : now.secondaries;
  c.currents[3 * index + 2] = unknown ? notANumber() : now.ions;
}

int32_t shadow_currents(Context& context, const shadow_currents_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.N;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(shadowCurrentsKernel, blocksOfWarps(n), 2 * POINTS * sizeof(double), c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) shadowPotentialKernel(shadow_potential_call g) {
  TS_DYNAMIC_SHARED(e);
  const double LOWEST = -1500, FURTHER = 1.5, CLOSE = 1e-10;
  const int EXTENSIONS = 10;
  double* weights = e + POINTS;
  shadowGrid(e, weights);
  const int64_t item = warpIndex();
  if (item >= g.B) return;
  const int lane = laneIndex();
  const double n = g.density[item], k = g.kappa[item], speed = g.theta[item], lnG = lnNorm(k);
  const auto sumAt = [&](double u) { return balance(e, weights, n, k, speed, lnG, u).sum; };
  double a = LOWEST, b = 0, fa = sumAt(a), fb = sumAt(b);
  for (int i = 0; i < EXTENSIONS && (fa > 0) == (fb > 0) && fa == fa && fb == fb; i++) {
    a *= FURTHER;
    fa = sumAt(a);
  }
  const int code = fa != fa || fb != fb ? 3 : (fa > 0) != (fb > 0) ? 0 : fb > 0 ? 1 : 2;
  if (lane == 0) g.state[item] = code;
  if (code != 0) {
    if (lane == 0) g.potential[item] = notANumber();
    return;
  }
  double c = a, fc = fa, last = b - a, before = last;
  for (int step = 0; step < 200; step++) {
    if ((fb > 0) == (fc > 0)) {
      c = a;
      fc = fa;
      last = b - a;
      before = last;
    }
    if (fabs(fc) < fabs(fb)) {
      a = b;
      b = c;
      c = a;
      fa = fb;
      fb = fc;
      fc = fa;
    }
    const double middle = 0.5 * (c - b);
    if (fabs(middle) <= CLOSE || fb == 0) break;
    double p = 0, q = 1;
    bool bisect = fabs(before) < CLOSE || fabs(fa) <= fabs(fb);
    if (!bisect) {
      const double s = fb / fa;
      if (a == c) {
        p = 2.0 * middle * s;
        q = 1.0 - s;
      } else {
        const double t = fa / fc, r = fb / fc;
        p = s * (2.0 * middle * t * (t - r) - (b - a) * (r - 1.0));
        q = (t - 1.0) * (r - 1.0) * (s - 1.0);
      }
      if (p > 0) q = -q;
      p = fabs(p);
      const double one = 3.0 * middle * q - fabs(CLOSE * q), two = fabs(before * q);
      bisect = !(2.0 * p < (one < two ? one : two));
    }
    if (bisect) {
      last = middle;
      before = middle;
    } else {
      before = last;
      last = p / q;
    }
    a = b;
    fa = fb;
    b += fabs(last) > CLOSE ? last : middle > 0 ? CLOSE : -CLOSE;
    fb = sumAt(b);
  }
  if (lane == 0) g.potential[item] = b;
}

int32_t shadow_potential(Context& context, const shadow_potential_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(shadowPotentialKernel, blocksOfWarps(c.B), 2 * POINTS * sizeof(double), c);
  return TS_OK;
}

}  // namespace twinspec
