// Symmetric positive definite banded systems by Cholesky's factorisation, one block a matrix.
// Twins: core/assembly/banded.ts, core/kernels/banded.ts.
#include "banded.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) bandedCholeskyKernel(banded_cholesky_call c) {
  TS_DYNAMIC_SHARED(shared);
  const int64_t size = static_cast<int64_t>(c.N) * (c.H + 1);
  const double* band = c.band + blockIdx.x * size;
  double* l = c.l + blockIdx.x * size;
  if (l != band) {
    for (int64_t i = threadIdx.x; i < size; i += BLOCK) l[i] = band[i];
    __syncthreads();
  }
  if (blockCholesky(c.N, c.H, l, shared)) return;
  __syncthreads();
  for (int64_t i = threadIdx.x; i < size; i += BLOCK) l[i] = notANumber();
}

int32_t banded_cholesky(Context& context, const banded_cholesky_call& c, Work& work) {
  if (work.none() || c.B == 0 || c.N == 0) return TS_OK;
  const size_t shared = static_cast<size_t>(bandedShared(c.H)) * sizeof(double);
  TS_LAUNCH(bandedCholeskyKernel, dim3(static_cast<unsigned>(c.B)), shared, c);
  return TS_OK;
}

__global__ void __launch_bounds__(BLOCK) bandedSolveKernel(banded_solve_call c) {
  TS_DYNAMIC_SHARED(shared);
  const int64_t b = blockIdx.x;
  double* x = c.x + b * c.N;
  for (int i = static_cast<int>(threadIdx.x); i < c.N; i += BLOCK) x[i] = c.b[b * c.N + i];
  __syncthreads();
  blockSolve(c.N, c.H, c.l + b * c.N * (c.H + 1), x, shared);
}

int32_t banded_solve(Context& context, const banded_solve_call& c, Work& work) {
  if (work.none() || c.B == 0 || c.N == 0) return TS_OK;
  TS_LAUNCH(bandedSolveKernel, dim3(static_cast<unsigned>(c.B)), BLOCK * sizeof(double), c);
  return TS_OK;
}

}  // namespace twinspec
