// Symmetric positive definite systems by Cholesky's factorisation, one thread a system.
// Twins: core/assembly/cholesky.ts, core/kernels/cholesky.ts.
#include "cholesky.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) choleskySolveKernel(cholesky_solve_call c) {
  const int64_t s = globalIndex();
  if (s >= c.B) return;
  const int K = c.K;
  double* ls = c.l + s * K * K;
  double* as = c.a + s * K;
  const double value = cholesky(K, c.n + s * K * K, ls);
  c.logdet[s] = value;
  if (isnan(value)) {
    for (int i = 0; i < K * K; i++) ls[i] = notANumber();
    for (int i = 0; i < K; i++) as[i] = notANumber();
    return;
  }
  forwardSolve(K, ls, c.b + s * K, as);
  backSolve(K, ls, as, as);
}

int32_t cholesky_solve(Context& context, const cholesky_solve_call& c, Work& work) {
  if (work.none() || c.B == 0) return TS_OK;
  TS_LAUNCH(choleskySolveKernel, blocksFor(c.B), 0, c);
  return TS_OK;
}

}  // namespace twinspec
