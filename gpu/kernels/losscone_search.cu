// Loss-cone χ² from tables, a thread a point, and its global minimum, a thread a sweep: sweeps differ too much in what they
// ask for a block to stay together. Twins: core/assembly/losscone_search.ts, core/kernels/losscone_search.ts.
#include "losscone_search.cuh"

namespace twinspec {

__global__ void __launch_bounds__(BLOCK) lossconeEvaluateKernel(losscone_evaluate_call c) {
  const int64_t index = globalIndex();
  if (index >= static_cast<int64_t>(c.B) * c.S) return;
  Sweep sweep;
  const bool enough = sweep.open(c, index / c.S);
  const double* point = c.points + 3 * (index % c.S);
  c.chi2[index] = enough ? sweep.costAt(point[0], point[1], point[2]) / sweep.degrees : notANumber();
}

int32_t losscone_evaluate(Context& context, const losscone_evaluate_call& c, Work& work) {
  const int64_t n = static_cast<int64_t>(c.B) * c.S;
  if (work.none() || n == 0) return TS_OK;
  TS_LAUNCH(lossconeEvaluateKernel, blocksFor(n), 0, c);
  return TS_OK;
}

namespace {

struct Piece {
  losscone_search_call c;
  int64_t first, count, each;
  double* scratch;
};

}  // namespace

__global__ void __launch_bounds__(BLOCK) lossconeSearchKernel(Piece k) {
  const int64_t slot = globalIndex();
  if (slot >= k.count) return;
  const losscone_search_call& c = k.c;
  const int64_t e = k.first + slot;
  Search search;
  double *fit = c.fit + 4 * e, *plateau = c.plateau + 2 * c.I * e, *confidence = c.confidence + 2 * c.I * e;
  if (!search.open(c, e)) {
    for (int i = 0; i < 4; i++) fit[i] = notANumber();
    for (int i = 0; i < 2 * c.I; i++) plateau[i] = confidence[i] = notANumber();
    c.state[e] = 0;
    return;
  }
  search.place(k.scratch + slot * k.each, c.I);
  search.most = c.MOST;
  search.amplitudeLow = c.constants[7];
  search.amplitudeHigh = c.constants[8];
  const bool whole = search.run(c.constants + 3, c.constants[9], fit);
  for (int i = 0; i < 2 * c.I; i++) {
    plateau[i] = search.plateau[i];
    confidence[i] = search.confidence[i];
  }
  c.state[e] = whole ? 1 : -1;
}

int32_t losscone_search(Context& context, const losscone_search_call& c, Work& work) {
  if (c.P > 255) return fail(TS_UNSUPPORTED, "losscone_search: %d directions, at most 255", c.P);
  const int64_t each = Search::scratch(c.R, c.P, c.I);
  int64_t slots;
  if (work.plan(each * static_cast<int64_t>(sizeof(double)), c.B, &slots)) return TS_OK;
  for (int64_t first = 0; first < c.B; first += slots) {
    const Piece piece{c, first, c.B - first < slots ? c.B - first : slots, each, reinterpret_cast<double*>(work.address)};
    TS_LAUNCH(lossconeSearchKernel, blocksFor(piece.count), 0, piece);
  }
  return TS_OK;
}

}  // namespace twinspec
