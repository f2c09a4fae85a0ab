// Blocks of threads as fibers of one CPU thread. See cuda_shim.h.
#include "fibers.h"

#include <sys/mman.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "cuda_shim.h"

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace emulated {

thread_local Machine* machine = nullptr;
thread_local const char* brokenBarrier = nullptr;

namespace {

constexpr size_t STACK = 128 * 1024;

enum class State : uint8_t { unstarted, ready, atWarp, atBlock, done };

#if defined(__x86_64__)
using Place = void*;
extern "C" void twinspec_switch(Place* save, Place load);
asm(R"(
.text
.p2align 4
.globl twinspec_switch
.hidden twinspec_switch
.type twinspec_switch,@function
twinspec_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size twinspec_switch,.-twinspec_switch
)");
#else
using Place = ucontext_t;
void twinspec_switch(Place* save, Place& load) { swapcontext(save, &load); }
#endif

struct Runner {
  Machine view;
  Place home;
  std::vector<Place> places;       // by fiber
  std::vector<char*> stacks;       // by fiber
  std::vector<int> fiberOf;        // by thread
  std::vector<State> state;        // by thread
  std::vector<uint8_t> parity;     // by thread: lane exchange
  std::vector<uint8_t> voteParity; // by thread
  std::vector<int> order;          // threads in the order they run
  int threads = 0, cursor = 0, fibers = 0, current = 0;
  Body body = nullptr;
  const void* arguments = nullptr;

  ~Runner() {
    for (char* stack : stacks) munmap(stack, STACK);
  }

  void show(int t) {
    current = t;
    view.thread = dim3(static_cast<unsigned>(t));
  }
};

Runner& runner() {
  static thread_local std::unique_ptr<Runner> own;
  if (!own) own = std::make_unique<Runner>();
  return *own;
}

/** A fiber works off threads until one of them waits; when none is left to start it goes home for good. */
void fiberMain() {
  Runner& r = runner();
  const int fiber = r.fibers - 1;
  while (r.cursor < r.threads) {
    const int t = r.order[static_cast<size_t>(r.cursor++)];
    r.fiberOf[static_cast<size_t>(t)] = fiber;
    r.show(t);
    r.body(r.arguments);
    r.state[static_cast<size_t>(r.current)] = State::done;
    if (r.current != t) std::abort();
  }
  Place unused;
#if defined(__x86_64__)
  twinspec_switch(&unused, r.home);
#else
  swapcontext(&unused, &r.home);
#endif
  std::abort();
}

void prepare(Runner& r, int fiber) {
  const size_t f = static_cast<size_t>(fiber);
  if (r.stacks.size() <= f) {
    void* stack = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) std::abort();
    r.stacks.push_back(static_cast<char*>(stack));
    r.places.emplace_back();
  }
#if defined(__x86_64__)
  void** top = reinterpret_cast<void**>(r.stacks[f] + STACK) - 3;
  *--top = reinterpret_cast<void*>(&fiberMain);  // where ret goes; the stack is then aligned as after a call
  for (int i = 0; i < 6; i++) *--top = nullptr;
  r.places[f] = top;
#else
  getcontext(&r.places[f]);
  r.places[f].uc_stack.ss_sp = r.stacks[f];
  r.places[f].uc_stack.ss_size = STACK;
  r.places[f].uc_link = nullptr;
  makecontext(&r.places[f], fiberMain, 0);
#endif
}

void resume(Runner& r, int t) {
  r.state[static_cast<size_t>(t)] = State::ready;
  r.show(t);
  twinspec_switch(&r.home, r.places[static_cast<size_t>(r.fiberOf[static_cast<size_t>(t)])]);
}

void wait(State why) {
  Runner& r = runner();
  const int t = r.current;
  r.state[static_cast<size_t>(t)] = why;
  const size_t fiber = static_cast<size_t>(r.fiberOf[static_cast<size_t>(t)]);
  twinspec_switch(&r.places[fiber], r.home);
}

/** Runs one block to its end; false where its threads did not meet at one barrier. */
bool runBlock(Runner& r) {
  r.cursor = 0;
  r.fibers = 0;
  std::fill(r.state.begin(), r.state.end(), State::unstarted);
  std::fill(r.parity.begin(), r.parity.end(), 0);
  std::fill(r.voteParity.begin(), r.voteParity.end(), 0);
  r.view.vote[0] = r.view.vote[1] = 0;
  while (r.cursor < r.threads) {
    prepare(r, r.fibers++);
    twinspec_switch(&r.home, r.places[static_cast<size_t>(r.fibers - 1)]);
  }
  while (true) {
    for (int first = 0; first < r.threads; first += WARP) {
      const int last = first + WARP < r.threads ? first + WARP : r.threads;
      while (true) {
        int waiting = 0, elsewhere = 0;
        for (int t = first; t < last; t++) {
          waiting += r.state[static_cast<size_t>(t)] == State::atWarp;
          elsewhere += r.state[static_cast<size_t>(t)] == State::atBlock;
        }
        if (waiting == 0) break;
        if (elsewhere > 0) {
          brokenBarrier = "some lanes of a warp wait for the warp, others for the block";
          return false;
        }
        for (int t : r.order) {
          if (t >= first && t < last && r.state[static_cast<size_t>(t)] == State::atWarp) resume(r, t);
        }
      }
    }
    int waiting = 0, done = 0;
    for (State s : r.state) {
      waiting += s == State::atBlock;
      done += s == State::done;
    }
    if (waiting == 0) return true;
    if (done > 0) {
      brokenBarrier = "a thread has ended, others wait for it at a barrier";
      return false;
    }
    for (int t : r.order) resume(r, t);
  }
}

void arrange(Runner& r, int seed) {
  const int n = r.threads;
  r.order.resize(static_cast<size_t>(n));
  for (int i = 0; i < n; i++) r.order[static_cast<size_t>(i)] = seed == 1 ? n - 1 - i : i;
  if (seed < 2) return;
  uint64_t state = static_cast<uint64_t>(seed) * 0x9E3779B97F4A7C15u;
  for (int i = n - 1; i > 0; i--) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::swap(r.order[static_cast<size_t>(i)], r.order[static_cast<size_t>((state >> 33) % static_cast<uint64_t>(i + 1))]);
  }
}

}  // namespace

void blockBarrier() { wait(State::atBlock); }
void warpBarrier() { wait(State::atWarp); }

uint64_t exchange(uint64_t bits, int source) {
  Runner& r = runner();
  const int t = r.current;
  const uint8_t side = r.parity[static_cast<size_t>(t)];
  r.parity[static_cast<size_t>(t)] = side ^ 1;
  r.view.lanes[side][t] = bits;
  wait(State::atWarp);
  const int from = (t & ~(WARP - 1)) + source;
  return r.view.lanes[side][from < r.threads ? from : t];
}

int vote(int predicate) {
  Runner& r = runner();
  const int t = r.current;
  const uint8_t side = r.voteParity[static_cast<size_t>(t)];
  r.voteParity[static_cast<size_t>(t)] = side ^ 1;
  if (predicate) r.view.vote[side] = 1;
  wait(State::atBlock);
  r.view.vote[side ^ 1] = 0;
  return r.view.vote[side];
}

const char* runGrid(Body body, const void* arguments, dim3 grid, dim3 block, size_t shared, int order) {
  Runner& r = runner();
  r.threads = static_cast<int>(block.x);
  r.body = body;
  r.arguments = arguments;
  const size_t n = static_cast<size_t>(r.threads);
  r.state.resize(n);
  r.parity.resize(n);
  r.voteParity.resize(n);
  r.fiberOf.resize(n);
  arrange(r, order);
  r.view.grid = grid;
  r.view.blockSize = block;
  machine = &r.view;
  brokenBarrier = nullptr;
  // exactly as large as asked for, so that a sanitizer sees what is beyond
  std::unique_ptr<double, decltype(&std::free)> memory(
      shared > 0 ? static_cast<double*>(std::malloc(shared)) : nullptr, &std::free);
  r.view.shared = memory.get();
  for (unsigned z = 0; z < grid.z; z++) {
    for (unsigned y = 0; y < grid.y; y++) {
      for (unsigned x = 0; x < grid.x; x++) {
        r.view.block = dim3(x, y, z);
        if (shared > 0) std::memset(memory.get(), 0xff, shared);
        if (!runBlock(r)) return brokenBarrier;
      }
    }
  }
  return nullptr;
}

}  // namespace emulated
