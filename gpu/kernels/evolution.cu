// Differential evolution of loss-cone fits: four sweeps a block, a thread a member (at most 64), the members of a
// generation in shared memory. Twins: core/assembly/evolution.ts, core/kernels/evolution.ts.
#include "losscone_sweep.cuh"
#include "philox.cuh"

namespace twinspec {

namespace {

/** Threads of a sweep, and with it most members. */
constexpr int MEMBERS = 64;
constexpr int SWEEPS = BLOCK / MEMBERS;
/** Doubles of shared memory of a sweep: members, their values, whether it goes on. */
constexpr int SHARED = 4 * MEMBERS + 1;

__device__ inline double valueOf(const Sweep& sweep, const double* point) {
  return sweep.costAt(point[0], point[1], point[2]) / sweep.degrees;
}

/** Index of the least of M values, the first of equals. */
__device__ inline int leastOf(int M, const double* values) {
  int best = 0;
  for (int i = 1; i < M; i++) {
    if (values[i] < values[best]) best = i;
  }
  return best;
}

/** Trial of member i. */
__device__ inline void breed(int i, int generation, int M, const double* people, const double* best, const int32_t* key,
                             const double* settings, const double* bounds, double* trial) {
  const uint32_t k0 = static_cast<uint32_t>(key[0]), k1 = static_cast<uint32_t>(key[1]);
  const Words first = philox(3 * i, generation, 0, 0, k0, k1), second = philox(3 * i + 1, generation, 0, 0, k0, k1);
  const Words anew = philox(3 * i + 2, generation, 0, 0, k0, k1);
  int r0 = below(M - 1, first.w[0]);
  if (r0 >= i) r0++;
  int r1 = below(M - 2, first.w[1]);
  if (r1 >= (i < r0 ? i : r0)) r1++;
  if (r1 >= (i > r0 ? i : r0)) r1++;
  const int forced = below(3, first.w[2]);
  const double F = settings[0], CR = settings[1];
  for (int g = 0; g < 3; g++) {
    const double u = share(g == 0 ? first.w[3] : second.w[g - 1]);
    double value = people[3 * i + g];
    if (u < CR || g == forced) {
      value = best[g] + F * (people[3 * r0 + g] - people[3 * r1 + g]);
      const double low = bounds[2 * g], high = bounds[2 * g + 1];
      if (!(value >= low && value <= high)) value = low + (high - low) * share(anew.w[g]);
    }
    trial[g] = value;
  }
}

/** Whether the values of M members lie close together. */
__device__ inline bool gathered(int M, const double* values, double tol, double atol) {
  double sum = 0, squares = 0;
  for (int i = 0; i < M; i++) sum += values[i];
  const double mean = sum / M;
  for (int i = 0; i < M; i++) squares += (values[i] - mean) * (values[i] - mean);
  return sqrt(squares / M) <= atol + tol * fabs(mean);
}

dim3 blocksOf(int64_t sweeps) { return dim3(static_cast<unsigned>(ceilDivide(sweeps, SWEEPS))); }

}  // namespace

/** The best seed: every thread takes each 64th, the first thread the best of theirs. */
__global__ void __launch_bounds__(BLOCK) evolutionStartKernel(evolution_start_call c) {
  TS_DYNAMIC_SHARED(memory);
  const int group = static_cast<int>(threadIdx.x) / MEMBERS, i = static_cast<int>(threadIdx.x) % MEMBERS;
  const int64_t e = static_cast<int64_t>(blockIdx.x) * SWEEPS + group;
  double *values = memory + group * SHARED, *indices = values + MEMBERS;
  Sweep sweep;
  const bool there = e < c.B;
  const bool own = there && sweep.open(c, e);
  double least = infinity();
  int best = -1;
  for (int k = i; k < c.S && own; k += MEMBERS) {
    const double value = valueOf(sweep, c.seeds + 3 * k);
    if (value < least) {
      least = value;
      best = k;
    }
  }
  values[i] = least;
  indices[i] = best;
  __syncthreads();
  if (!there) return;
  if (i < c.M) {
    double point[3] = {c.members[3 * i], c.members[3 * i + 1], c.members[3 * i + 2]};
    if (i == 0) {
      for (int k = 1; k < MEMBERS; k++) {
        const int at = static_cast<int>(indices[k]);
        if (at >= 0 && (values[k] < least || (values[k] == least && at < best))) {
          least = values[k];
          best = at;
        }
      }
      if (best >= 0) {
        for (int g = 0; g < 3; g++) point[g] = c.seeds[3 * best + g];
      }
      c.state[2 * e] = 0;
      c.state[2 * e + 1] = own ? 1 : 0;
    }
    for (int g = 0; g < 3; g++) c.population[(e * c.M + i) * 3 + g] = point[g];
    c.values[e * c.M + i] = own ? valueOf(sweep, point) : notANumber();
  }
}

int32_t evolution_start(Context& context, const evolution_start_call& c, Work& work) {
  if (c.M < 3 || c.M > MEMBERS) return fail(TS_UNSUPPORTED, "evolution_start: %d members, must be 3 to 64", c.M);
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(evolutionStartKernel, blocksOf(c.B), SWEEPS * SHARED * sizeof(double), c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) evolutionStepKernel(evolution_step_call c) {
  TS_DYNAMIC_SHARED(memory);
  const int group = static_cast<int>(threadIdx.x) / MEMBERS, i = static_cast<int>(threadIdx.x) % MEMBERS;
  const int64_t e = static_cast<int64_t>(blockIdx.x) * SWEEPS + group;
  double *people = memory + group * SHARED, *values = people + 3 * MEMBERS, *on = values + MEMBERS;
  const bool there = e < c.B, member = there && i < c.M;
  Sweep sweep;
  if (there) sweep.open(c, e);
  int done = there ? c.state[2 * e] : 0;
  if (member) {
    for (int g = 0; g < 3; g++) people[3 * i + g] = c.population[(e * c.M + i) * 3 + g];
    values[i] = c.values[e * c.M + i];
  }
  if (i == 0) on[0] = there && c.state[2 * e + 1] != 0 && done < c.MOST ? 1 : 0;
  __syncthreads();
  for (int k = 0; k < c.G; k++) {
    const bool running = on[0] != 0;
    double trial[3] = {0, 0, 0};
    double cost = infinity();
    if (running && member) {
      breed(i, done, c.M, people, people + 3 * leastOf(c.M, values), c.key, c.settings, c.constants + 3, trial);
      cost = valueOf(sweep, trial);
    }
    __syncthreads();
    if (running && member && cost < values[i]) {
      values[i] = cost;
      for (int g = 0; g < 3; g++) people[3 * i + g] = trial[g];
    }
    if (running) done++;
    __syncthreads();
    if (running && i == 0) {
      on[0] = done < c.MOST && !gathered(c.M, values, c.settings[2], c.settings[3] / sweep.degrees) ? 1 : 0;
    }
    __syncthreads();
  }
  if (member) {
    for (int g = 0; g < 3; g++) c.population[(e * c.M + i) * 3 + g] = people[3 * i + g];
    c.values[e * c.M + i] = values[i];
  }
  if (there && i == 0) {
    c.state[2 * e] = done;
    c.state[2 * e + 1] = on[0] != 0 ? 1 : 0;
  }
}

int32_t evolution_step(Context& context, const evolution_step_call& c, Work& work) {
  if (c.M < 3 || c.M > MEMBERS) return fail(TS_UNSUPPORTED, "evolution_step: %d members, must be 3 to 64", c.M);
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(evolutionStepKernel, blocksOf(c.B), SWEEPS * SHARED * sizeof(double), c);
  return TS_OK;
}

}  // namespace twinspec
