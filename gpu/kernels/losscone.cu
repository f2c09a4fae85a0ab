// Loss cones cell by cell: the model a thread a cell, χ² a block a sweep.
// Twins: core/assembly/losscone.ts, core/kernels/losscone.ts.
#include "losscone.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) lossconeModelKernel(losscone_model_call c) {
  const int64_t cell = globalIndex();
  if (cell >= static_cast<int64_t>(c.B) * c.R * c.P) return;
  const int64_t row = cell / c.P, sweep = row / c.R;
  const double w = c.constants[0], s = c.constants[1], g = c.constants[2];
  const double U = c.parameters[3 * sweep], b = c.parameters[3 * sweep + 1], A = c.parameters[3 * sweep + 2];
  const double E = c.energy[row], V = c.potential[row], alpha = c.pitch[cell];
  const double x = coneEdge(U, b, energyAtMoon(E, V));
  const double beam = A > 0.0 ? A * beamEnergy(E, V, U, w) : 0.0;
  double value = alpha <= 90.0 || (alpha > 90.0 && sineSquared(alpha) >= x) ? 1.0 : g;
  if (beam > 0.0) value += beam * beamPitch(alpha, s);
  c.model[cell] = value;
}

int32_t losscone_model(Context& context, const losscone_model_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.R * c.P;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(lossconeModelKernel, blocksFor(n), 0, c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) lossconeChisqKernel(losscone_chisq_call c) {
  TS_DYNAMIC_SHARED(scratch);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * c.R * c.P;
  const int cells = c.R * c.P;
  double sum = 0, n = 0;
  for (int i = static_cast<int>(threadIdx.x); i < cells; i += BLOCK) {
    if (c.mask[first + i] == 0) continue;
    const double d = c.norm[first + i], m = c.model[first + i];
    const double difference = c.METHOD == 0 ? logarithm(d + EPSILON) - logarithm(m + EPSILON) : d - m;
    sum += isnan(d) || isnan(m) ? notANumber() : difference * difference;
    n += 1;
  }
  sum = blockSum(sum, scratch);
  n = blockSum(n, scratch);
  if (threadIdx.x != 0) return;
  if (c.METHOD == 0) c.chi2[blockIdx.x] = n == 0 ? notANumber() : sum;
  else c.chi2[blockIdx.x] = n < LEAST_CELLS ? notANumber() : sum / (n - 3 > 1 ? n - 3 : 1);
}

int32_t losscone_chisq(Context& context, const losscone_chisq_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(lossconeChisqKernel, dim3(static_cast<unsigned>(c.B)), BLOCK * sizeof(double), c);
  return TS_OK;
}

}  // namespace twinspec
