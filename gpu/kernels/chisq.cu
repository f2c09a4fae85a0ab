// Likelihood of spectra under template × continuum, the continuum's K coefficients marginalised: a block a spectrum.
// Twins: core/assembly/chisq.ts, core/kernels/chisq.ts.
#include "chisq.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) chisqKernel(chisq_call c) {
  TS_DYNAMIC_SHARED(shared);
  const ChisqLayout at(c.K, 0);
  const int64_t e = blockIdx.x;
  const int64_t shift = e * c.NP;
  const double* y = c.y + shift;
  const double* s = c.s + shift;
  double* model = c.model + shift;
  const double det = marginalise(c.NP, c.K, c.basis, y, s, c.m + shift, 1, at, shared);
  const double chi = residual(c.NP, c.K, c.basis, y, s, c.m + shift, model, at, shared);
  const double chi2good = goodResidual(c.NP, y, s, model, c.good + shift, at, shared);
  for (int k = static_cast<int>(threadIdx.x); k < c.K; k += BLOCK) c.coeff[e * c.K + k] = shared[at.coeff + k];
  if (threadIdx.x == 0) {
    c.logdet[e] = det;
    c.chi2[e] = chi;
    c.chi2good[e] = chi2good;
    c.value[e] = det + chi;
  }
}

int32_t chisq(Context& context, const chisq_call& c, Work& work) {
  if (work.none() || c.E == 0) return TS_OK;
  const int32_t wrong = chisqFits("chisq", c.K, 0);
  if (wrong != TS_OK) return wrong;
  TS_LAUNCH(chisqKernel, dim3(static_cast<unsigned>(c.E)), chisqShared(c.K, 0), c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK, 1) chisqGradientKernel(chisq_gradient_call c) {
  TS_DYNAMIC_SHARED(shared);
  const ChisqLayout at(c.K, c.Q);
  const int64_t e = blockIdx.x;
  const int64_t shift = e * c.NP;
  const double f =
      projectedGradient(c.NP, c.K, c.Q, c.basis, c.y + shift, c.s + shift, c.T + shift * c.Q, at, shared);
  const int thread = static_cast<int>(threadIdx.x);
  for (int k = thread; k < c.K; k += BLOCK) c.coeff[e * c.K + k] = shared[at.coeff + k];
  for (int k = thread; k < c.Q; k += BLOCK) c.gradient[e * c.Q + k] = shared[at.gradient + k];
  for (int k = thread; k < c.Q * c.Q; k += BLOCK) c.curvature[e * c.Q * c.Q + k] = shared[at.curvature + k];
  if (thread == 0) c.value[e] = f;
}

int32_t chisq_gradient(Context& context, const chisq_gradient_call& c, Work& work) {
  if (work.none() || c.E == 0) return TS_OK;
  if (c.Q < 1) return fail(TS_INVALID, "chisq_gradient: no columns");
  const int32_t wrong = chisqFits("chisq_gradient", c.K, c.Q);
  if (wrong != TS_OK) return wrong;
  TS_LAUNCH(chisqGradientKernel, dim3(static_cast<unsigned>(c.E)), chisqShared(c.K, c.Q), c);
  return TS_OK;
}

}  // namespace twinspec
