// Branch and bound over (U, b) for one sweep, by one thread. Twin: core/assembly/losscone_search.ts, whose header has the
// method and whose functions these are, one by one.
#pragma once
#include "losscone_sweep.cuh"

namespace twinspec {

constexpr double LEAF = 1.0 / 15.0;
constexpr double UNSEEN = 1e-9;
constexpr double SAME = 1e-6;
constexpr double EQUAL = 2e-4;
constexpr double CLOSE = 1e-5;
constexpr double FINE = 1.0 / 120.0;
constexpr double NARROW = 1e-6;
constexpr double SHARP = 1e-4;
constexpr int STACK = 192;
constexpr int FRONT = 96;
constexpr int CORNERS = 48;
constexpr int COMBINATIONS = 6;
constexpr int BOX = 8;
constexpr int KEPT = 8;
constexpr int SOLUTION = 5;

static __device__ __host__ inline int64_t wordsOf(int64_t bytes) { return (bytes + 7) / 8; }
static __device__ inline double lower(double a, double b) { return a < b ? a : b; }
static __device__ inline double higher(double a, double b) { return a > b ? a : b; }

struct Search : Sweep {
  int size, solutionSize, most, mostPieces;
  double *box, *child, *stack, *solutions, *polygon, *clipped;
  double *beamK, *beamM, *beamY, *beamSlope, *beamRest, *beamShare;
  double *plateau, *confidence, *ownBounds, *covered;
  const double* bounds;
  uint8_t *counts, *seen;
  int depth, pieces, nextSolution;
  double amplitudeLow, amplitudeHigh;
  double bestCost, bestU, bestB, bestA;
  double solvedAt, solvedA, solvedSlope, solvedCurvature;
  double reachLow, reachHigh;

  /** Doubles of scratch. */
  static __host__ int64_t scratch(int R, int P, int I) {
    const int64_t size = BOX + wordsOf(2 * R), solution = SOLUTION + wordsOf(R);
    return (STACK + 2) * size + KEPT * solution + 4 * CORNERS + 6 * (static_cast<int64_t>(R) * P + 1) + 2 * (2 * I + 4) + 4 +
           2 * wordsOf(R);
  }

  __device__ void place(double* at, int I) {
    size = static_cast<int>(BOX + wordsOf(2 * R)), solutionSize = static_cast<int>(SOLUTION + wordsOf(R));
    const int cellsAtMost = R * P + 1;
    box = at, at += size;
    child = at, at += size;
    stack = at, at += STACK * size;
    solutions = at, at += KEPT * solutionSize;
    polygon = at, at += 2 * CORNERS;
    clipped = at, at += 2 * CORNERS;
    beamK = at, at += cellsAtMost;
    beamM = at, at += cellsAtMost;
    beamY = at, at += cellsAtMost;
    beamSlope = at, at += cellsAtMost;
    beamRest = at, at += cellsAtMost;
    beamShare = at, at += cellsAtMost;
    plateau = at, at += 2 * I + 4;
    confidence = at, at += 2 * I + 4;
    ownBounds = at, at += 4;
    counts = reinterpret_cast<uint8_t*>(at), at += wordsOf(R);
    seen = reinterpret_cast<uint8_t*>(at);
    mostPieces = I;
  }

  static __device__ uint8_t* ranges(double* node) { return reinterpret_cast<uint8_t*>(node + BOX); }
  __device__ int low(double* node, int r) const { return ranges(node)[r]; }
  __device__ int high(double* node, int r) const { return ranges(node)[R + r]; }
  __device__ const double* rowSine(int r) const { return sine + r * P; }
  __device__ const double* rowPrefix(int r) const { return prefix + r * (P + 1); }
  __device__ double rowAbove(int r) const { return energyAtMoon(energy[r], potential[r]); }

  __device__ void copy(double* to, const double* from) const {
    for (int i = 0; i < size; i++) to[i] = from[i];
  }

  // BOUNDS //

  /** Strongest dependence on energy of the beam in row r for U0 ≤ U ≤ U1. */
  __device__ double strongest(int r, double U0, double U1) const {
    const double E = energy[r], V = potential[r];
    if (!(V - U0 > 0.0 && width > 0.0)) return 0.0;
    const double far = higher(V - U0, width), near = higher(V - U1, width);
    const double off = E > far ? (E - far) / width : E < near ? (near - E) / width : 0.0;
    return off > 8.0 ? 0.0 : exponential(-0.5 * off * off);
  }

  /** Most that a beam up to `more` takes off the cost of a cell with value y over a model m. */
  __device__ double gainOf(double value, double more, double m, double level) const {
    const double above = value - level;
    if (!(above > 0.0)) return 0.0;
    const double left = above - (METHOD == 0 ? more / m : more);
    return above * above - (left > 0.0 ? left * left : 0.0);
  }

  /** Lower bound of the cost of row r with i0 … i1 cells in the cone and a beam of strength up to a. */
  __device__ double beamBound(int r, int i0, int i1, double a) const {
    const double *p = beam + r * P, *value = y + r * P, *sums = rowPrefix(r);
    const int n = cells[r];
    double gain = 0, least = infinity();
    int end = 0;
    for (; end < n; end++) {
      const double more = a * p[end];
      if (!(more > UNSEEN)) break;
      gain += end < i0 ? gainOf(value[end], more, background, inside) : gainOf(value[end], more, 1.0, outside);
    }
    for (int j = i0;; j++) {
      const double cost = sums[j] - gain;
      if (cost < least) least = cost;
      if (j >= i1) break;
      if (j < end) {
        const double more = a * p[j];
        gain += gainOf(value[j], more, background, inside) - gainOf(value[j], more, 1.0, outside);
      }
    }
    return least;
  }

  /** Ranges of counts of a box, from those of the box around it, and its bound. */
  __device__ void examine(double* node, double* parent) {
    const double U0 = node[0], U1 = node[1], b0 = node[2], b1 = node[3];
    double bound = 0, spreadU = 0, spreadB = 0;
    for (int r = 0; r < R; r++) {
      if (cells[r] == 0) {
        ranges(node)[r] = ranges(node)[R + r] = 0;
        continue;
      }
      const double above = rowAbove(r);
      const double t0 = 1.0 + U0 / above, t1 = 1.0 + U1 / above;
      const double x0 = t0 > 0.0 ? b0 * t0 : 0.0;
      const double x1 = t1 > 0.0 ? lower(b1 * t1, 1.0) : 0.0;
      const int i0 = coneCells(rowSine(r), lower(x0, 1.0), low(parent, r), high(parent, r));
      const int i1 = coneCells(rowSine(r), x1, i0, high(parent, r));
      ranges(node)[r] = static_cast<uint8_t>(i0);
      ranges(node)[R + r] = static_cast<uint8_t>(i1);
      if (i0 < i1) {
        spreadU = higher(spreadU, lower(b1 * (U1 - U0) / above, 1.0));
        spreadB = higher(spreadB, (b1 - b0) * t1);
      }
      const double a = amplitudeHigh > 0.0 ? amplitudeHigh * strongest(r, U0, U1) : 0.0;
      if (a > UNSEEN) {
        bound += beamBound(r, i0, i1, a);
        continue;
      }
      const double* sums = rowPrefix(r);
      double least = sums[i0];
      for (int i = i0 + 1; i <= i1; i++) least = lower(least, sums[i]);
      bound += least;
    }
    node[4] = bound;
    node[5] = spreadU;
    node[6] = spreadB;
  }

  // THE BEAM AT ONE U //

  /** Cost of n cells (an even number) with a beam of amplitude A, and its derivatives in A; even and odd cells apart. */
  __device__ double gathered(int n, double A) {
    solvedAt = A;
    double cost[2] = {0, 0}, slope[2] = {0, 0}, curvature[2] = {0, 0};
    for (int c = 0; c < n; c += 2) {
      for (int l = 0; l < 2; l++) {
        const double k = beamK[c + l];
        if (METHOD == 0) {
          const double m = (beamM[c + l] + A * k) + EPSILON;
          const double inverse = k / m;
          const double t = beamY[c + l] - logarithm(m);
          beamRest[c + l] = t;
          beamShare[c + l] = inverse;
          cost[l] += t * t;
          slope[l] += t * inverse;
          curvature[l] += ((1.0 + t) * inverse) * inverse;
        } else {
          const double t = beamY[c + l] - (beamM[c + l] + A * k);
          beamRest[c + l] = t;
          beamShare[c + l] = k;
          cost[l] += t * t;
          slope[l] += t * k;
          curvature[l] += k * k;
        }
      }
    }
    solvedSlope = -2.0 * (slope[0] + slope[1]);
    solvedCurvature = 2.0 * (curvature[0] + curvature[1]);
    return cost[0] + cost[1];
  }

  /** The best A of the gathered cells: several amplitudes, then Newton; its cost. */
  __device__ double solveAmplitude(int n, double strongestK, double guess, double* solution) {
    double left = amplitudeLow, right = amplitudeHigh;
    double A = amplitudeLow, cost = 0;
    if (METHOD != 0) {
      gathered(n, A);
      A = lower(higher(A - solvedSlope / solvedCurvature, amplitudeLow), amplitudeHigh);
      *solution = A;
      return gathered(n, A);
    }
    if (guess >= amplitudeLow) {
      A = guess;
      cost = gathered(n, A);
    } else {
      cost = gathered(n, A);
      double last = amplitudeLow, slope = solvedSlope, curvature = solvedCurvature;
      bool atBest = true;
      for (double trial = higher(0.1 / strongestK, amplitudeHigh / 1024.0);; trial *= 4.0) {
        const double next = lower(trial, amplitudeHigh);
        if (next > last) {
          const double value = gathered(n, next);
          if (atBest) right = next;
          atBest = value < cost;
          if (atBest) {
            cost = value;
            left = last;
            right = amplitudeHigh;
            A = next;
            slope = solvedSlope;
            curvature = solvedCurvature;
          }
          last = next;
        }
        if (next >= amplitudeHigh) break;
      }
      solvedSlope = slope;
      solvedCurvature = curvature;
    }
    for (int step = 0; step < 40; step++) {
      if ((A <= amplitudeLow && solvedSlope >= 0.0) || (A >= amplitudeHigh && solvedSlope <= 0.0)) break;
      if (solvedSlope > 0.0) right = A;
      else left = A;
      double next = solvedCurvature > 0.0 ? A - solvedSlope / solvedCurvature : infinity();
      if (next < amplitudeLow && left <= amplitudeLow) next = amplitudeLow;
      if (next > amplitudeHigh && right >= amplitudeHigh) next = amplitudeHigh;
      if (!(next >= left && next <= right) || next == A) next = 0.5 * (left + right);
      const double moved = fabs(next - A);
      A = next;
      cost = gathered(n, A);
      if (moved <= CLOSE * (A + 1e-3)) break;
    }
    if (solvedAt != A) cost = gathered(n, A);
    *solution = A;
    return cost;
  }

  /** Least cost of the rows that see the beam at U with `counts` cells in the cone, over A. */
  __device__ double solveBeam(double U, double guess) {
    int n = 0;
    double strongestK = 0, fixed = 0;
    for (int r = 0; r < R; r++) {
      if (seen[r] == 0) continue;
      const double shape = beamEnergy(energy[r], potential[r], U, width);
      const double *p = beam + r * P, *value = y + r * P;
      const int i = counts[r];
      const double off = potential[r] - U;
      const double slope = off > width ? -(energy[r] - off) / (width * width) : 0.0;
      fixed += rowPrefix(r)[i];
      for (int j = 0; j < cells[r]; j++) {
        const double k = shape * p[j];
        if (!(amplitudeHigh * k > UNSEEN)) break;
        const double without = value[j] - (j < i ? inside : outside);
        fixed -= without * without;
        beamK[n] = k;
        beamM[n] = j < i ? background : 1.0;
        beamY[n] = value[j];
        beamSlope[n] = slope;
        strongestK = higher(strongestK, k);
        n++;
      }
    }
    solvedA = amplitudeLow;
    solvedSlope = 0.0;
    solvedCurvature = 0.0;
    if (n == 0) return fixed;
    if ((n & 1) != 0) {
      beamK[n] = 0.0;
      beamM[n] = 1.0;
      beamY[n] = outside;
      beamSlope[n] = 0.0;
      n++;
    }
    double A;
    const double cost = solveAmplitude(n, strongestK, guess, &A);
    double slope = 0, inU = 0, inA = 0, mixed = 0;
    for (int c = 0; c < n; c++) {
      const double byA = beamShare[c];
      const double byU = A * byA * beamSlope[c];
      slope += beamRest[c] * byU;
      inU += byU * byU;
      inA += byA * byA;
      mixed += byU * byA;
    }
    const bool free = A > amplitudeLow && A < amplitudeHigh && inA > 0.0;
    solvedA = A;
    solvedSlope = -2.0 * slope;
    solvedCurvature = 2.0 * (free ? higher(inU - mixed * mixed / inA, 0.0) : inU);
    return fixed + cost;
  }

  /** solveBeam, or what it said of the same U and counts a moment ago. */
  __device__ double solved(double U) {
    double guess = -1.0;
    for (int k = 0; k < KEPT; k++) {
      const double* kept = solutions + k * solutionSize;
      if (!(fabs(kept[0] - U) <= LEAF * width)) continue;
      const uint8_t* were = reinterpret_cast<const uint8_t*>(kept + SOLUTION);
      bool same = true;
      for (int r = 0; r < R && same; r++) same = cells[r] == 0 || seen[r] == 0 || were[r] == counts[r];
      if (!same) continue;
      if (kept[0] != U) {
        guess = kept[2];
        continue;
      }
      solvedA = kept[2];
      solvedSlope = kept[3];
      solvedCurvature = kept[4];
      return kept[1];
    }
    const double cost = solveBeam(U, guess);
    double* kept = solutions + nextSolution * solutionSize;
    nextSolution = (nextSolution + 1) % KEPT;
    kept[0] = U;
    kept[1] = cost;
    kept[2] = solvedA;
    kept[3] = solvedSlope;
    kept[4] = solvedCurvature;
    uint8_t* are = reinterpret_cast<uint8_t*>(kept + SOLUTION);
    for (int r = 0; r < R; r++) are[r] = counts[r];
    return cost;
  }

  // POLYGONS //

  /** Keeps the corners (b, c) with sign·(b + c/above − edge) ≥ 0 of n; how many are left. */
  __device__ int clip(int n, double above, double edge, double sign) {
    int kept = 0;
    for (int i = 0; i < n; i++) {
      const int j = i + 1 < n ? i + 1 : 0;
      const double b0 = polygon[2 * i], c0 = polygon[2 * i + 1];
      const double b1 = polygon[2 * j], c1 = polygon[2 * j + 1];
      const double d0 = sign * (b0 + c0 / above - edge), d1 = sign * (b1 + c1 / above - edge);
      if (d0 >= 0.0) {
        clipped[2 * kept] = b0;
        clipped[2 * kept + 1] = c0;
        kept++;
      }
      if ((d0 > 0.0 && d1 < 0.0) || (d0 < 0.0 && d1 > 0.0)) {
        const double f = d0 / (d0 - d1);
        clipped[2 * kept] = b0 + f * (b1 - b0);
        clipped[2 * kept + 1] = c0 + f * (c1 - c0);
        kept++;
      }
      if (kept > CORNERS - 2) break;
    }
    double* other = polygon;
    polygon = clipped;
    clipped = other;
    return kept;
  }

  /** Extent in U of the tuple `counts` within the bounds; false where it has none. */
  __device__ bool reach() {
    const double U0 = bounds[0], U1 = bounds[1], b0 = bounds[2], b1 = bounds[3];
    polygon[0] = b0, polygon[1] = U0 * b0;
    polygon[2] = b1, polygon[3] = U0 * b1;
    polygon[4] = b1, polygon[5] = U1 * b1;
    polygon[6] = b0, polygon[7] = U1 * b0;
    int n = 4;
    for (int r = 0; r < R; r++) {
      if (cells[r] == 0) continue;
      const int i = counts[r];
      const double above = rowAbove(r);
      if (i > 0) n = clip(n, above, rowSine(r)[i - 1], 1.0);
      if (i < cells[r] && rowSine(r)[i] < 1.0) n = clip(n, above, rowSine(r)[i], -1.0);
      if (n == 0) return false;
    }
    reachLow = infinity();
    reachHigh = -infinity();
    for (int i = 0; i < n; i++) {
      const double U = polygon[2 * i + 1] / polygon[2 * i];
      reachLow = lower(reachLow, U);
      reachHigh = higher(reachHigh, U);
    }
    reachLow = higher(reachLow, U0);
    reachHigh = lower(reachHigh, U1);
    return reachLow <= reachHigh;
  }

  /** Middle of the b that keep `counts` at U; NaN where there are none. */
  __device__ double section(double U) const {
    double from = bounds[2], to = bounds[3];
    for (int r = 0; r < R; r++) {
      if (cells[r] == 0) continue;
      const int i = counts[r];
      const double t = 1.0 + U / rowAbove(r);
      if (!(t > 0.0)) {
        if (i > 0) return notANumber();
        continue;
      }
      if (i > 0) from = higher(from, rowSine(r)[i - 1] / t);
      if (i < cells[r] && rowSine(r)[i] < 1.0) to = lower(to, rowSine(r)[i] / t);
    }
    return from <= to ? 0.5 * (from + to) : notANumber();
  }

  __device__ void countAt(double U, double b) {
    for (int r = 0; r < R; r++) {
      counts[r] = cells[r] == 0 ? 0 : static_cast<uint8_t>(coneCells(rowSine(r), coneEdge(U, b, rowAbove(r)), 0, cells[r]));
    }
  }

  // SETS OF U //

  /** Adds low … high to the intervals; where there is no place left, the two nearest intervals become one. */
  __device__ void cover(double from, double to) {
    int i = 0;
    while (i < pieces && covered[2 * i + 1] < from) i++;
    int j = i;
    while (j < pieces && covered[2 * j] <= to) {
      from = lower(from, covered[2 * j]);
      to = higher(to, covered[2 * j + 1]);
      j++;
    }
    const int tail = pieces - j;
    if (i + 1 <= j) {
      for (int k = 0; k < 2 * tail; k++) covered[2 * (i + 1) + k] = covered[2 * j + k];
    } else {
      for (int k = 2 * tail - 1; k >= 0; k--) covered[2 * (i + 1) + k] = covered[2 * j + k];
    }
    covered[2 * i] = from;
    covered[2 * i + 1] = to;
    pieces = i + 1 + tail;
    if (pieces <= mostPieces) return;
    int nearest = 0;
    double gap = infinity();
    for (int k = 0; k + 1 < pieces; k++) {
      const double between = covered[2 * k + 2] - covered[2 * k + 1];
      if (between < gap) {
        gap = between;
        nearest = k;
      }
    }
    covered[2 * nearest + 1] = covered[2 * nearest + 3];
    for (int k = 2 * nearest + 2; k < 2 * (pieces - 1); k++) covered[k] = covered[k + 2];
    pieces--;
  }

  __device__ bool isCovered(double from, double to) const {
    for (int i = 0; i < pieces; i++) {
      if (covered[2 * i] <= from && to <= covered[2 * i + 1]) return true;
    }
    return false;
  }

  // DESCENT //

  __device__ void offer(double cost, double U, double b, double A) {
    if (!(cost < bestCost)) return;
    bestCost = cost;
    bestU = U;
    bestB = b;
    bestA = A;
  }

  /** Lower bound of a box narrow in U, by the solution for A at its middle. */
  __device__ double leaf(double* node, double limit, bool collect) {
    const double U0 = node[0], U1 = node[1];
    const double U = 0.5 * (U0 + U1), b = 0.5 * (node[2] + node[3]);
    double rest = 0, restHere = 0;
    int combinations = 1;
    for (int r = 0; r < R; r++) {
      if (cells[r] == 0) continue;
      const int i0 = low(node, r), i1 = high(node, r);
      const double* sums = rowPrefix(r);
      const int here = coneCells(rowSine(r), coneEdge(U, b, rowAbove(r)), i0, i1);
      counts[r] = static_cast<uint8_t>(here);
      if (seen[r] != 0) {
        if (combinations <= COMBINATIONS) combinations *= i1 - i0 + 1;
        continue;
      }
      double least = sums[i0];
      for (int i = i0 + 1; i <= i1; i++) least = lower(least, sums[i]);
      rest += least;
      restHere += sums[here];
    }
    const double half = 0.5 * (U1 - U0), beside = node[7];
    double least = infinity();
    // first the counts of the middle, then every combination there may be
    for (int turn = 0;; turn++) {
      const double cost = solved(U);
      const double change = (fabs(solvedSlope) + solvedCurvature * half) * half;
      if (turn == 0) {
        offer(restHere + cost, U, b, solvedA);
        if (collect && restHere + cost + (half > FINE * width ? change : 0.0) <= limit) cover(U0 - beside, U1 + beside);
        if (combinations == 1) return rest + cost - change;
        if (combinations > COMBINATIONS) return -infinity();
        for (int r = 0; r < R; r++) {
          if (cells[r] != 0 && seen[r] != 0) counts[r] = static_cast<uint8_t>(low(node, r));
        }
        continue;
      }
      least = lower(least, cost - change);
      int r = 0;
      for (; r < R; r++) {
        if (cells[r] == 0 || seen[r] == 0) continue;
        if (counts[r] < high(node, r)) {
          counts[r]++;
          break;
        }
        counts[r] = static_cast<uint8_t>(low(node, r));
      }
      if (r == R) return rest + least;
    }
  }

  /** Goes through the boxes whose bound is below `limit` (where not `collect`: below the best found). */
  __device__ void lowestOnTop() {
    double *top = stack + depth * size, *lowest = top;
    for (double* node = stack; node < top; node += size) {
      if (node[4] < lowest[4]) lowest = node;
    }
    if (lowest == top) return;
    copy(child, top);
    copy(top, lowest);
    copy(lowest, child);
  }

  __device__ bool descend(double limit, bool collect) {
    for (int i = 0; i < 4; i++) stack[i] = bounds[i];
    stack[7] = 0.0;
    for (int r = 0; r < R; r++) {
      ranges(box)[r] = 0;
      ranges(box)[R + r] = static_cast<uint8_t>(cells[r]);
    }
    depth = 0;
    const double leafWidth = LEAF * width;
    int looked = 0;
    // boxes above the top of the stack that are cut from `box` and not yet examined: at first the whole
    int fresh = 1;
    for (;;) {
      for (int k = 0; k < fresh; k++) examine(stack + (depth + k) * size, box);
      if (fresh == 2) {
        double *first = stack + depth * size, *second = first + size;
        // the one with the lower bound on top
        if (first[4] < second[4]) {
          copy(child, first);
          copy(first, second);
          copy(second, child);
        }
      }
      depth += fresh;
      fresh = 0;
      if (depth == 0) return true;
      depth--;
      if (!collect && depth < FRONT) lowestOnTop();
      copy(box, stack + depth * size);
      const double ceiling = collect ? limit : bestCost * (1.0 - SAME);
      if (collect ? box[4] > ceiling : box[4] >= ceiling) continue;
      const double U0 = box[0], U1 = box[1], b0 = box[2], b1 = box[3];
      if (collect && isCovered(U0 - box[7], U1 + box[7])) continue;
      if (++looked > most) return false;
      const double U = 0.5 * (U0 + U1), b = 0.5 * (b0 + b1);
      double cost = 0;
      bool anySeen = false;
      for (int r = 0; r < R; r++) {
        seen[r] = 0;
        if (cells[r] == 0) continue;
        const int i = coneCells(rowSine(r), coneEdge(U, b, rowAbove(r)), low(box, r), high(box, r));
        counts[r] = static_cast<uint8_t>(i);
        cost += rowPrefix(r)[i];
        const bool sees = amplitudeHigh > 0.0 && amplitudeHigh * strongest(r, U0, U1) > UNSEEN;
        seen[r] = sees ? 1 : 0;
        anySeen = anySeen || sees;
      }
      if (!anySeen || amplitudeLow == 0.0) {
        offer(cost, U, b, amplitudeLow);
        if (collect && cost <= limit && reach()) cover(reachLow, reachHigh);
      }
      const bool ambiguous = box[5] > 0.0 || box[6] > 0.0;
      if (!ambiguous && !anySeen) continue;
      if (anySeen && U1 - U0 <= leafWidth) {
        const double bound = leaf(box, limit, collect);
        if (collect ? bound > limit : bound >= bestCost * (1.0 - SAME)) continue;
      }
      if (collect && isCovered(U0 - box[7], U1 + box[7])) continue;
      bool splitU = box[5] > box[6];
      if (ambiguous) {
        if (higher(box[5], box[6]) < NARROW) continue;
        if (anySeen && U1 - U0 > leafWidth && box[6] < 0.02) splitU = true;
      } else {
        splitU = true;
      }
      if (depth + 2 > STACK) return false;
      double *first = stack + depth * size, *second = first + size;
      if (collect && anySeen && U1 > U0 && U1 - U0 <= 2.0 * FINE * width) {
        first[0] = U;
        first[1] = U;
        first[2] = b0;
        first[3] = b1;
        first[7] = 0.5 * (U1 - U0);
        fresh = 1;
        continue;
      }
      if (splitU && anySeen && U1 - U0 <= SHARP * width) {
        if (!ambiguous || box[6] < NARROW) continue;
        splitU = false;
      }
      first[0] = U0;
      first[1] = splitU ? U : U1;
      first[2] = b0;
      first[3] = splitU ? b1 : b;
      second[0] = splitU ? U : U0;
      second[1] = U1;
      second[2] = splitU ? b0 : b;
      second[3] = b1;
      first[7] = box[7];
      second[7] = box[7];
      fresh = 2;
    }
  }

  /** Everything of the sweep at hand; fit gets U, b, A, χ². One loop, so that the descent stands in the code once. */
  __device__ bool run(const double* given, double delta, double* fit) {
    bounds = given;
    bestCost = infinity();
    bestU = bestB = 0.0;
    bestA = amplitudeLow;
    nextSolution = 0;
    for (int k = 0; k < KEPT; k++) solutions[k * solutionSize] = notANumber();
    bool whole = true;
    double least = 0, U = 0, limit = 0, atU = 0, atB = 0, atA = 0;
    int flat = 0;
    for (int phase = 0; phase < 4; phase++) {
      if (phase == 1) {
        least = bestCost;
        U = bestU;
        limit = least * (1.0 + EQUAL);
        covered = plateau;
        pieces = 0;
        cover(U, U);
      } else if (phase == 2) {
        flat = pieces;
        for (int i = 0; i < 2 * flat; i++) confidence[i] = plateau[i];
        double middle = U;
        for (int i = 0; i < flat; i++) {
          if (plateau[2 * i] <= U && U <= plateau[2 * i + 1]) middle = 0.5 * (plateau[2 * i] + plateau[2 * i + 1]);
        }
        ownBounds[0] = ownBounds[1] = middle;
        ownBounds[2] = given[2];
        ownBounds[3] = given[3];
        atU = bestU, atB = bestB, atA = bestA;
        bounds = ownBounds;
        bestCost = infinity();
        bestA = amplitudeLow;
      } else if (phase == 3) {
        bounds = given;
        if (bestCost > limit) bestU = atU, bestB = atB, bestA = atA;
        countAt(bestU, bestB);
        const double centre = section(bestU);
        if (!isnan(centre) && costAt(bestU, centre, bestA) <= limit) bestB = centre;
        fit[0] = bestU;
        fit[1] = bestB;
        fit[2] = bestA;
        fit[3] = costAt(bestU, bestB, bestA) / degrees;
        covered = confidence;
        limit = higher(limit, least * (1.0 + delta / (validCells - 3 > 1 ? validCells - 3 : 1)));
      }
      whole = descend(limit, (phase & 1) == 1) && whole;
    }
    for (int i = 2 * flat; i < 2 * mostPieces; i++) plateau[i] = notANumber();
    for (int i = 2 * pieces; i < 2 * mostPieces; i++) confidence[i] = notANumber();
    return whole;
  }
};

}  // namespace twinspec
