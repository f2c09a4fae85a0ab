// The loss cone of one energy step. Twin: core/assembly/losscone.ts, whose header has the formulas.
#pragma once
#include "exponential.cuh"
#include "logarithm.cuh"

namespace twinspec {

constexpr double EPSILON = 1e-6;
/** Fewest cells of a Lillis χ². */
constexpr int LEAST_CELLS = 5;
constexpr double DEGREE = 0.017453292519943295;

static __device__ inline double energyAtMoon(double E, double V) {
  const double value = E - V;
  return value < 1e-12 ? 1e-12 : value;
}

/** x = sin² of the edge of the cone. */
static __device__ inline double coneEdge(double U, double b, double above) {
  const double x = b * (1.0 + U / above);
  return x < 0.0 ? 0.0 : x > 1.0 ? 1.0 : x;
}

/** sin²α of a pitch in degrees above 90, else 2, which is in no cone. */
static __device__ inline double sineSquared(double pitch) {
  if (!(pitch > 90.0)) return 2.0;
  const double s = sin(pitch * DEGREE);
  return s * s;
}

/** Dependence of the beam on energy: 0 where there is none. */
static __device__ inline double beamEnergy(double E, double V, double U, double w) {
  const double difference = V - U;
  if (!(difference > 0.0 && w > 0.0)) return 0.0;
  const double z = (E - (difference > w ? difference : w)) / w;
  return exponential(-0.5 * z * z);
}

/** Dependence of the beam on pitch, degrees. */
static __device__ inline double beamPitch(double pitch, double s) {
  if (!(s > 0.0)) return 1.0;
  const double z = (pitch - 180.0) / s;
  return exponential(-0.5 * z * z);
}

}  // namespace twinspec
