// From the C interface into a kernel's host function: context, scratch, a range that profilers show.
#pragma once
#include "context.cuh"

#ifndef TWINSPEC_EMULATED
#include <nvtx3/nvToolsExt.h>
#endif

namespace twinspec {

/** Context of a handle with its device made current; nullptr, and the error's text kept, where there is none. */
Context* contextOf(int32_t handle);

template <class F>
int32_t enter(const char* name, int32_t handle, int64_t* scratch, F run) {
  Context* context = contextOf(handle);
  if (context == nullptr) return TS_INVALID;
  Work work{};
  work.asked = scratch[1] < 0;
  work.address = reinterpret_cast<char*>(static_cast<intptr_t>(scratch[0]));
  work.bytes = scratch[1];
#ifndef TWINSPEC_EMULATED
  nvtxRangePushA(name);
#else
  (void)name;
#endif
  const int32_t code = run(*context, work);
#ifndef TWINSPEC_EMULATED
  nvtxRangePop();
#endif
  if (work.asked) {
    scratch[0] = work.least;
    scratch[1] = work.most;
  }
  return code;
}

}  // namespace twinspec
