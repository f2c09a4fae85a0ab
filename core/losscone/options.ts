/** What a user may ask of a loss-cone fit; the defaults are the reference's. Scripts depend on the meanings. */

/** Lowest and highest value. */
export type Bounds = readonly [low: number, high: number];

/** Differential evolution, best/1/bin with synchronous generations. */
export interface EvolutionOptions {
  /** Points of the Latin hypercube whose best one is member 0 of the first generation. */
  readonly seeds: number;
  /** Members, at most 64. */
  readonly population: number;
  /** Weight of the difference vector. */
  readonly weight: number;
  /** Probability of taking a gene from the mutant. */
  readonly crossover: number;
  readonly generations: number;
  /** A sweep stops once std(χ² of the members) ≤ atol + tol·|mean|; atol is of the sum of squares, not of a reduced χ². */
  readonly tol: number;
  readonly atol: number;
}

export interface LossconeOptions {
  /** Halekas: Σ (ln d − ln m)². Lillis: Σ (d − m)²/(n − 3) over cells between 0.07 and 0.79 of the incident maximum. */
  readonly method: "halekas" | "lillis";
  readonly search: "exact" | "evolution";
  /** Flux over the incident statistic of its row, or over that of the incident cell with the opposite pitch. */
  readonly normalisation: "ratio" | "ratio2";
  /** Statistic of the incident cells that `ratio` divides by. */
  readonly incident: "mean" | "max";
  /** The archive's fill values are missing data, or (for comparison only) numbers as in the reference. */
  readonly fill: "missing" | "reference";
  /** Width of the beam in energy, eV. */
  readonly beamWidth: number;
  /** Width of the beam in pitch, deg; not positive: no dependence on pitch. */
  readonly pitchSigma: number;
  /** Flux inside the loss cone, of the incident. */
  readonly background: number;
  /** U_surface, V. */
  readonly potential: Bounds;
  /** B_spacecraft / B_surface. */
  readonly fieldRatio: Bounds;
  readonly beamAmplitude: Bounds;
  /** Probability content of the confidence sets. */
  readonly confidence: number;
  /** Of the random numbers of the evolution, 0 … 2⁵³ − 1. */
  readonly seed: number;
  readonly evolution: EvolutionOptions;
}

export const DEFAULT_LOSSCONE_OPTIONS: LossconeOptions = {
  method: "halekas",
  search: "exact",
  normalisation: "ratio",
  incident: "mean",
  fill: "missing",
  beamWidth: 15,
  pitchSigma: 7.5,
  background: 0.05,
  potential: [-2000, 20],
  fieldRatio: [0.3, 1.1],
  beamAmplitude: [0, 5],
  confidence: 0.68,
  seed: 42,
  evolution: {
    seeds: 400,
    population: 50,
    weight: 0.5,
    crossover: 0.9,
    generations: 500,
    tol: 1e-3,
    atol: 1e-3,
  },
};
