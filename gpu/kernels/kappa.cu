// Kappa distributions of electrons, and their fit to the counts of a sweep. The header of core/assembly/kappa.ts has the
// formulas. A thread a flux, a matrix element's row or a trial; a warp a row that is prepared; a warp a sweep that is
// fitted, a lane an energy, response and model in shared memory.
// Twins: core/assembly/kappa.ts, core/kernels/kappa.ts.
#include "kappa.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) kappaFluxKernel(kappa_flux_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.B) * c.N) return;
  const int64_t b = index / c.N;
  const double k = c.kappa[b], speed = c.theta[b];
  const double lnG = lnNorm(k), lnTheta = log(speed), scale = 1.0 / (k * speed * speed);
  c.flux[index] = c.density[b] * fluxAt(2.0 * c.energy[index] / MASS, k, lnG, lnTheta, scale);
}

int32_t kappa_flux(Context& context, const kappa_flux_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.N;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(kappaFluxKernel, blocksFor(n), 0, c);
  return TS_OK;
}

// RESPONSE //

/** Row i of W; 0 where an energy is no positive number. */
static __device__ inline void responseRow(int R, int i, const double* energy, double* row) {
  const double SPREAD = 0.21017866063222765;  // asinh(¼)/√(2 ln 2)
  const double ei = energy[i];
  double sum = 0;
  for (int j = 0; j < R; j++) {
    const double ej = energy[j];
    double value = 0;
    if (ei > 0 && ej > 0) {
      const double x = log(ei / ej) / SPREAD;
      value = exp(-0.5 * x * x);
    }
    row[j] = value;
    sum += value;
  }
  if (sum > 0) {
    for (int j = 0; j < R; j++) row[j] /= sum;
  }
}

__global__ void __launch_bounds__(BLOCK) kappaResponseKernel(kappa_response_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.B) * c.R) return;
  const int64_t b = index / c.R;
  responseRow(c.R, static_cast<int>(index % c.R), c.energy + b * c.R, c.response + index * c.R);
}

int32_t kappa_response(Context& context, const kappa_response_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.R;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(kappaResponseKernel, blocksFor(n), 0, c);
  return TS_OK;
}

// REFERENCE'S CHI-SQUARE //

struct TrialCall {
  kappa_chisq_call c;
  /** W of the sweeps b0 …, and a model of R energies for each of their trials. */
  double* response;
  double* model;
  int64_t b0, sweeps;
};

__global__ void __launch_bounds__(BLOCK) trialResponseKernel(TrialCall t) {
  const int64_t index = globalIndex();
  const int R = t.c.R;
  if (index >= t.sweeps * R) return;
  const int64_t slot = index / R;
  responseRow(R, static_cast<int>(index % R), t.c.energy + (t.b0 + slot) * R, t.response + index * R);
}

__global__ void __launch_bounds__(BLOCK) trialKernel(TrialCall t) {
  const int64_t index = globalIndex();
  const kappa_chisq_call& c = t.c;
  const int R = c.R;
  if (index >= t.sweeps * c.P) return;
  const int64_t slot = index / c.P, b = t.b0 + slot, trial = b * c.P + index % c.P;
  const double LN10 = 2.30258509299404590109e+00;  // 0x40026BB1BBB55516
  const double* e = c.energy + b * R;
  const double* w = t.response + slot * R * R;
  double* model = t.model + index * R;
  const double k = c.trial[2 * trial], lnTheta = c.trial[2 * trial + 1] * LN10;
  const double lnG = lnNorm(k), scale = exp(-2.0 * lnTheta) / k, n = c.density[b];
  for (int j = 0; j < R; j++) {
    const double v2 = 2.0 * e[j] / MASS;
    model[j] = v2 > 0 ? n * fluxAt(v2, k, lnG, lnTheta, scale) : 0.0;
  }
  double sum = 0;
  for (int i = 0; i < R; i++) {
    if (!(e[i] > 0)) continue;
    double seen = 0;
    for (int j = 0; j < R; j++) seen += w[i * R + j] * model[j];
    const double off = log(seen + 1e-6) - log(c.flux[b * R + i] + 1e-6);
    const double term = c.weight[b * R + i] * off;
    sum += term * term;
  }
  c.chi2[trial] = sum;
}

int32_t kappa_chisq(Context& context, const kappa_chisq_call& c, Work& work) {
  const int64_t R = c.R, each = 8 * R * (R + c.P);
  int64_t slots = 0;
  if (work.plan(each, c.B, &slots) || c.B == 0 || c.P == 0) return TS_OK;
  double* response = reinterpret_cast<double*>(work.address);
  for (int64_t b0 = 0; b0 < c.B; b0 += slots) {
    const int64_t sweeps = slots < c.B - b0 ? slots : c.B - b0;
    const TrialCall t = {c, response, response + slots * R * R, b0, sweeps};
    if (R > 0) TS_LAUNCH(trialResponseKernel, blocksFor(sweeps * R), 0, t);
    TS_LAUNCH(trialKernel, blocksFor(sweeps * c.P), 0, t);
  }
  return TS_OK;
}

// PREPARATION //

__global__ void __launch_bounds__(BLOCK) prepareRowKernel(kappa_prepare_call c) {
  const int64_t row = warpIndex();
  const int lane = laneIndex();
  if (row >= static_cast<int64_t>(c.B) * c.R) return;
  const double DEGREE = 1.74532925199432954744e-02;  // 0x3F91DF46A2529D39
  const double FILL_FLUX = 1e-90, FILL_PHI = 998;
  const double PI = 3.14159265358979323846;
  const double* azimuth = c.phi + row * c.C;
  const double* values = c.flux + row * c.C;
  const double bx = c.field[3 * row], by = c.field[3 * row + 1], bz = c.field[3 * row + 2];
  const double e = c.energy[row], p = c.polarity[row];
  const bool pointed = (p == 1 || p == -1) && bx * bx + by * by + bz * bz > 0;
  const bool known = e > 0 && e < infinity();
  double sum = 0, seen = 0, whole = 0, all = 0, into = 0, share = 0;
  for (int k = lane; k < c.C; k += WARP) {
    const double f = values[k], omega = c.solid[k], g = c.factor[k];
    const double a = azimuth[k] * DEGREE, t = c.theta[k] * DEGREE, cosine = cos(t);
    const double along = p * (bx * (cos(a) * cosine) + by * (sin(a) * cosine) + bz * sin(t));
    // 1 incident, 0 not; ½ where the direction of the cell is unknown, 0 where that of the Moon is
    const double where =
        !pointed ? 0.0 : along != along || !(fabs(azimuth[k]) < FILL_PHI) ? 0.5 : along > 0 ? 1.0 : 0.0;
    const bool there = f - f == 0 && (f == 0 || fabs(f) > FILL_FLUX);
    whole += where * omega;
    if (!there || !known) continue;
    const double count = rint((f > 0 ? f : 0.0) * g * e);
    all += count;
    if (where != 1) continue;
    sum += f * omega;
    seen += omega;
    into += count;
    share += g;
  }
  sum = warpTotal(sum);
  seen = warpTotal(seen);
  whole = warpTotal(whole);
  all = warpTotal(all);
  into = warpTotal(into);
  share = warpTotal(share);
  if (lane != 0) return;
  const double j = seen > 0 ? 2.0 * sum * (whole / seen) : notANumber();
  c.omni[row] = j;
  c.counts[row] = all;
  c.incident[row] = into;
  c.exposure[row] = known ? share * e / (4.0 * PI) : 0.0;
  const double sigma = sqrt(all + (0.05 * all) * (0.05 * all) + (0.1 * all) * (0.1 * all));
  const double lnSigma = sigma / (all + 1e-6) * j / (j + 1e-6) + 1e-6;
  c.weight[row] = all > 0 && seen > 0 ? 1.0 / (lnSigma + 1e-6) : 0.0;
}

__global__ void __launch_bounds__(BLOCK) prepareDensityKernel(kappa_prepare_call c) {
  const int64_t b = globalIndex();
  if (b >= c.B) return;
  double n = 0;
  for (int r = 0; r < c.R; r++) {
    const int64_t row = b * c.R + r;
    const double left = c.energy[row] - c.potential[row], j = c.omni[row];
    if (j == j && left > 0) n += 1e4 * j / sqrt(2.0 * left / MASS_OVER_CHARGE) * 0.5 * left;
  }
  c.density[b] = n;
}

int32_t kappa_prepare(Context& context, const kappa_prepare_call& c, Work& work) {
  const int64_t rows = static_cast<int64_t>(c.B) * c.R;
  if (work.none() || c.B == 0) return TS_OK;
  if (rows > 0) TS_LAUNCH(prepareRowKernel, blocksOfWarps(rows), 0, c);
  TS_LAUNCH(prepareDensityKernel, blocksFor(c.B), 0, c);
  return TS_OK;
}

// FIT //

/** Most energies: a lane each. */
constexpr int MOST_ROWS = WARP;

/** One sweep under way: this lane's energy in registers, response and model of all of them in shared memory. */
struct Fit {
  int R, stride, lane;
  bool seen;
  const double* w;
  double* flux;
  double* byKappa;
  double* byTheta;
  double v2, counts, exposure, weight, unit;
  double weighted, density;
  /** ln G of the last κ. */
  double lastKappa, lnG;
  double gk, gt, kk, kt, tt, kn, tn, nn;

  /** Σ_j W_ij of a shared row of the model; the row itself where there is no response. */
  __device__ double through(const double* model) const {
    if (!seen) return model[lane];
    double sum = 0;
    for (int j = 0; j < R; j++) sum += w[lane * stride + j] * model[j];
    return sum;
  }

  /** D at (κ, λ), density in closed form; with the derivatives of J where they are wanted. */
  __device__ double value(double kappa, double lambda, bool slopes) {
    const double LN10 = 2.30258509299404590109e+00;  // 0x40026BB1BBB55516
    const double lnTheta = lambda * LN10;
    if (kappa != lastKappa) {
      lastKappa = kappa;
      lnG = lnNorm(kappa);
    }
    const double scale = exp(-2.0 * lnTheta) / kappa;
    const double dG = slopes ? digamma(kappa + 1.0) - digamma(kappa - 0.5) - 1.5 / kappa : 0.0;
    if (lane < R) {
      double j = 0, dk = 0, dt = 0;
      if (v2 > 0) {
        const double x = v2 * scale, ln = log1p(x);
        j = SPHERE * v2 / MASS * exp(lnG - 3.0 * lnTheta - (kappa + 1.0) * ln);
        const double part = (kappa + 1.0) * x / (1.0 + x);
        dk = j * (dG - ln + part / kappa);
        dt = j * LN10 * (2.0 * part - 3.0);
      }
      flux[lane] = j;
      if (slopes) {
        byKappa[lane] = dk;
        byTheta[lane] = dt;
      }
    }
    __syncwarp();
    const bool used = exposure > 0;
    unit = used ? exposure * through(flux) : 0.0;
    density = weighted / warpTotal(weight * unit);
    double d = 0;
    if (used) {
      const double mu = density * unit;
      d = 2.0 * weight * (mu - counts + (counts > 0 ? counts * log(counts / mu) : 0.0));
    }
    d = warpTotal(d);
    __syncwarp();
    return d;
  }

  /** Gradient of D and Fisher's sums at the point last evaluated with slopes. */
  __device__ void slopes() {
    double dk = 0, dt = 0, pull = 0, f = 0;
    if (exposure > 0) {
      const double mu = density * unit;
      dk = exposure * through(byKappa) / unit;
      dt = exposure * through(byTheta) / unit;
      pull = 2.0 * weight * (mu - counts);
      f = weight * mu;
    }
    gk = warpTotal(pull * dk);
    gt = warpTotal(pull * dt);
    kk = warpTotal(f * dk * dk);
    kt = warpTotal(f * dk * dt);
    tt = warpTotal(f * dt * dt);
    kn = warpTotal(f * dk);
    tn = warpTotal(f * dt);
    nn = warpTotal(f);
    __syncwarp();
  }

  /** Covariance of the free parameters from Fisher's sums; bits of `held`: 1 κ, 2 λ. */
  __device__ void covariance(int held, double* out) const {
    const double pk = kn / nn, pt = tn / nn;
    const double a = kk - kn * pk, b = kt - kn * pt, d = tt - tn * pt;
    double ckk = 0, ckt = 0, ctt = 0;
    if (held == 0) {
      const double det = a * d - b * b;
      const double inverse = det > 1e-14 * a * d ? 1.0 / det : notANumber();
      ckk = d * inverse;
      ckt = -b * inverse;
      ctt = a * inverse;
    } else if (held == 1) {
      ctt = d > 0 ? 1.0 / d : notANumber();
    } else if (held == 2) {
      ckk = a > 0 ? 1.0 / a : notANumber();
    }
    const double cnk = -(ckk * pk + ckt * pt), cnt = -(ckt * pk + ctt * pt);
    out[0] = ckk;
    out[1] = ckt;
    out[2] = ctt;
    out[3] = cnk;
    out[4] = cnt;
    out[5] = 1.0 / nn - cnk * pk - cnt * pt;
  }
};

static __device__ inline double clampTo(double x, double low, double high) {
  return x < low ? low : x > high ? high : x;
}

__global__ void __launch_bounds__(BLOCK) kappaFitKernel(kappa_fit_call c) {
  TS_DYNAMIC_SHARED(shared);
  const double DAMPING = 1e-3, LEAST_DAMPING = 1e-9;
  const double SMALL_KAPPA = 1e-10, SMALL_THETA = 1e-11, ROUNDING = 1e-13;
  const int STEPS = 200, KAPPAS = 4, THETAS = 16;
  const int64_t b = warpIndex();
  if (b >= c.B) return;
  const int R = c.R, lane = laneIndex(), stride = R | 1;
  double* own = shared + static_cast<int>(threadIdx.x) / WARP * (R * stride + 3 * R);
  const double lowK = c.settings[0], highK = c.settings[1], lowT = c.settings[2], highT = c.settings[3];
  const double systematic = c.settings[4] * c.settings[4];
  Fit fit;
  fit.R = R;
  fit.stride = stride;
  fit.lane = lane;
  fit.seen = c.RESPONSE != 0;
  fit.w = own;
  fit.flux = own + R * stride;
  fit.byKappa = fit.flux + R;
  fit.byTheta = fit.byKappa + R;
  fit.lastKappa = notANumber();
  fit.v2 = fit.counts = fit.exposure = fit.weight = fit.unit = 0;
  bool used = false;
  if (lane < R) {
    const double* e = c.energy + b * R;
    responseRow(R, lane, e, own + lane * stride);
    const double left = e[lane] - c.potential[b * R + lane];
    const double exposure = c.exposure[b * R + lane], N = c.incident[b * R + lane];
    const bool there = e[lane] > 0 && left > 0 && left < infinity();
    used = there && exposure > 0 && exposure < infinity() && N >= 0 && N < infinity();
    fit.v2 = there ? 2.0 * left / MASS : 0.0;
    if (used) {
      fit.exposure = exposure;
      fit.counts = N;
      fit.weight = 1.0 / (1.0 + systematic * N);
    }
  }
  __syncwarp();
  const int rows = static_cast<int>(warpTotal(used ? 1.0 : 0.0));
  const int filled = static_cast<int>(warpTotal(fit.counts > 0 ? 1.0 : 0.0));
  fit.weighted = warpTotal(fit.weight * fit.counts);
  if (rows < 3 || filled < 2) {
    if (lane != 0) return;
    for (int i = 0; i < 3; i++) c.solution[3 * b + i] = notANumber();
    for (int i = 0; i < 6; i++) c.covariance[6 * b + i] = notANumber();
    c.deviance[b] = notANumber();
    c.state[3 * b] = rows < 3 ? 2 : 3;
    c.state[3 * b + 1] = rows;
    c.state[3 * b + 2] = 0;
    return;
  }
  double kappa = 0, lambda = 0, best = infinity();
  for (int i = 0; i < KAPPAS; i++) {
    const double k = lowK + (highK - lowK) * (i + 0.5) / KAPPAS;
    for (int j = 0; j < THETAS; j++) {
      const double t = lowT + (highT - lowT) * (j + 0.5) / THETAS;
      const double d = fit.value(k, t, false);
      if (d < best) {
        best = d;
        kappa = k;
        lambda = t;
      }
    }
  }
  double damping = DAMPING;
  int code = 1;
  best = fit.value(kappa, lambda, true);
  fit.slopes();
  for (int step = 0; step < STEPS; step++) {
    const bool fixK = (kappa <= lowK && fit.gk > 0) || (kappa >= highK && fit.gk < 0);
    const bool fixT = (lambda <= lowT && fit.gt > 0) || (lambda >= highT && fit.gt < 0);
    const double kk = 2.0 * (fit.kk - fit.kn * fit.kn / fit.nn) * (1.0 + damping);
    const double kt = 2.0 * (fit.kt - fit.kn * fit.tn / fit.nn);
    const double tt = 2.0 * (fit.tt - fit.tn * fit.tn / fit.nn) * (1.0 + damping);
    double dk = 0, dt = 0;
    if (!fixK && !fixT) {
      const double det = kk * tt - kt * kt;
      dk = (kt * fit.gt - tt * fit.gk) / det;
      dt = (kt * fit.gk - kk * fit.gt) / det;
    } else if (!fixK) {
      dk = -fit.gk / kk;
    } else if (!fixT) {
      dt = -fit.gt / tt;
    }
    const double k = clampTo(kappa + dk, lowK, highK), t = clampTo(lambda + dt, lowT, highT);
    if (!(fabs(k - kappa) > SMALL_KAPPA) && !(fabs(t - lambda) > SMALL_THETA)) {
      code = k == k && t == t ? 0 : 1;
      break;
    }
    const double d = fit.value(k, t, true);
    if (d <= best + ROUNDING * (1.0 + best)) {
      kappa = k;
      lambda = t;
      best = d;
      damping = 0.1 * damping > LEAST_DAMPING ? 0.1 * damping : LEAST_DAMPING;
      fit.slopes();
    } else {
      damping *= 10.0;
    }
  }
  best = fit.value(kappa, lambda, true);
  fit.slopes();
  if (lane != 0) return;
  const int held = (kappa <= lowK || kappa >= highK ? 1 : 0) | (lambda <= lowT || lambda >= highT ? 2 : 0);
  c.solution[3 * b] = kappa;
  c.solution[3 * b + 1] = lambda;
  c.solution[3 * b + 2] = log(fit.density);
  fit.covariance(held, c.covariance + 6 * b);
  c.deviance[b] = best;
  c.state[3 * b] = code;
  c.state[3 * b + 1] = rows;
  c.state[3 * b + 2] = held;
}

int32_t kappa_fit(Context& context, const kappa_fit_call& c, Work& work) {
  if (c.R > MOST_ROWS) return fail(TS_UNSUPPORTED, "kappa_fit: %d energies, at most %d", c.R, MOST_ROWS);
  if (work.none() || c.B == 0) return TS_OK;
  const size_t shared = static_cast<size_t>(WARPS) * (c.R * (c.R | 1) + 3 * c.R) * sizeof(double);
  TS_LAUNCH(kappaFitKernel, blocksOfWarps(c.B), shared, c);
  return TS_OK;
}

}  // namespace twinspec
