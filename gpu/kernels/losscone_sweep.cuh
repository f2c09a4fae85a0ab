// χ² of one sweep from its tables, by one thread. Twin: core/assembly/losscone_sweep.ts.
#pragma once
#include "losscone.cuh"

namespace twinspec {

/** A beam below this adds nothing: ln M changes by less than 2e-12 where g ≥ 0.05. */
constexpr double FAINT = 1e-13;

/** Cells of a row in the cone: those with sin²α < x, sought between `low` and `high`. */
static __device__ inline int coneCells(const double* sine, double x, int low, int high) {
  while (low < high) {
    const int middle = (low + high) >> 1;
    if (sine[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One sweep of a batch; rows without cells are passed over. */
struct Sweep {
  int R, P, METHOD;
  const double *energy, *potential, *sine, *beam, *y, *prefix;
  const int32_t* cells;
  double width, background;
  /** ln(g + ε) and ln(1 + ε), or g and 1. */
  double inside, outside;
  /** What χ² is divided by. */
  double degrees;
  int validCells;

  /** Sweep e of the batch; false where it has too few cells for a χ². */
  template <class Call>
  __device__ bool open(const Call& c, int64_t e) {
    R = c.R, P = c.P, METHOD = c.METHOD;
    energy = c.energy + e * R, potential = c.potential + e * R;
    sine = c.sine + e * R * P, beam = c.beam + e * R * P, y = c.y + e * R * P;
    prefix = c.prefix + e * R * (P + 1);
    cells = c.cells + e * R;
    width = c.constants[0], background = c.constants[2];
    inside = METHOD == 0 ? logarithm(background + EPSILON) : background;
    outside = METHOD == 0 ? logarithm(1.0 + EPSILON) : 1.0;
    validCells = 0;
    for (int r = 0; r < R; r++) validCells += cells[r];
    degrees = METHOD == 0 ? 1.0 : validCells - 3 > 1 ? validCells - 3 : 1;
    return METHOD == 0 ? validCells > 0 : validCells >= LEAST_CELLS;
  }

  /** What a beam of strength a = A·(dependence on energy) changes in the cost of a row with i cells in the cone. */
  __device__ double beamChange(int r, int i, double a) const {
    const double *p = beam + r * P, *value = y + r * P;
    const int n = cells[r];
    double change = 0;
    for (int j = 0; j < n; j++) {
      const double more = a * p[j];
      if (!(more > FAINT)) break;
      const double m = j < i ? background : 1.0;
      const double without = value[j] - (j < i ? inside : outside);
      const double with = value[j] - (METHOD == 0 ? logarithm(m + more + EPSILON) : m + more);
      change += with * with - without * without;
    }
    return change;
  }

  /** χ² times `degrees` at one point. */
  __device__ double costAt(double U, double b, double A) const {
    double sum = 0;
    for (int r = 0; r < R; r++) {
      if (cells[r] == 0) continue;
      const double E = energy[r], V = potential[r];
      const int i = coneCells(sine + r * P, coneEdge(U, b, energyAtMoon(E, V)), 0, cells[r]);
      sum += prefix[r * (P + 1) + i];
      if (A > 0.0) {
        const double a = A * beamEnergy(E, V, U, width);
        if (a > FAINT) sum += beamChange(r, i, a);
      }
    }
    return sum;
  }
};

}  // namespace twinspec
