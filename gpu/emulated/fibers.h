// Runs a grid of blocks; see fibers.cpp.
#pragma once
#include "cuda_shim.h"

namespace emulated {

/** nullptr, or what is wrong with the barriers of a block. Thread order as in ts_emulate. */
const char* runGrid(Body body, const void* arguments, dim3 grid, dim3 block, size_t shared, int order);

/** What an emulated device does on request: ts_emulate. */
int32_t setting(int32_t which, int64_t value);

/** Says what went wrong with the last barrier, and forgets it. */
const char* takeBarrierText();

}  // namespace emulated
