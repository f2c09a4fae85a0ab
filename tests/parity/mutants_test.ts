/** Tests of the parity suite: kernels broken on purpose must make it fail. */
import assert from "node:assert/strict";
import { kernelNamed } from "../../core/kernels/table.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { buildEmulated, type Mutant } from "../../gpu/compile_emulated.ts";
import { DeviceLibrary } from "../../gpu/library.ts";
import { parityOf } from "../../gpu/parity.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulated, emulatedTest } from "../gpu/emulated.ts";

const MUTANTS: readonly (Mutant & { readonly kernel: string })[] = [
  {
    name: "missing_barrier",
    file: "chisq.cuh",
    find: "s[p0 + i] : 0.0;\n  }\n  __syncthreads();",
    replace: "s[p0 + i] : 0.0;\n  }",
    source: "chisq.cu",
    kernel: "chisq",
  },
  {
    name: "missing_barrier_in_sum",
    file: "common.cuh",
    find: "scratch[t] = value;\n  __syncthreads();",
    replace: "scratch[t] = value;",
    source: "rotation.cu",
    kernel: "rotation_weights",
  },
  {
    name: "barrier_not_met_by_all",
    file: "rotation.cuh",
    find: "sum = blockSum(sum, scratch);\n  dsum",
    replace: "if (thread < H + 1) sum = blockSum(sum, scratch);\n  dsum",
    source: "rotation.cu",
    kernel: "rotation_weights",
  },
  {
    name: "last_pixel_of_a_tile_left_out",
    file: "chisq.cuh",
    find: "i < length && k < K) value",
    replace: "i + 1 < length && k < K) value",
    source: "chisq.cu",
    kernel: "chisq",
  },
  {
    name: "term_of_the_determinant_dropped",
    file: "chisq.cuh",
    find: "2.0 * sumV - 2.0 * sumR",
    replace: "-2.0 * sumR + 0.0 * sumV",
    source: "chisq.cu",
    kernel: "chisq_gradient",
  },
  {
    name: "projection_dropped",
    file: "chisq.cuh",
    find: "2.0 * (products[high * q + low] - sum)",
    replace: "2.0 * products[high * q + low] + 0.0 * sum",
    source: "fit.cu",
    kernel: "fit_evaluate",
  },
  {
    name: "short_warmup",
    file: "spline.cuh",
    find: "constexpr int WARMUP = 32;",
    replace: "constexpr int WARMUP = 12;",
    source: "spline.cu",
    kernel: "spline_build",
  },
  {
    name: "edge_off_by_one",
    file: "rotation.cuh",
    find: "(j + k < N ? y[j + k] : 0.0)",
    replace: "(j + k < N - 1 ? y[j + k] : 0.0)",
    source: "rotation.cu",
    kernel: "rotate",
  },
  {
    name: "wrong_twiddle",
    file: "fourier.cuh",
    find: "w3.im *= c.direction;",
    replace: "",
    source: "fourier.cu",
    kernel: "rfft",
  },
  {
    name: "shares_exchanged",
    file: "ccf.cu",
    find: "p < middle ? f : 1.0 - f",
    replace: "p < middle ? 1.0 - f : f",
    source: "ccf.cu",
    kernel: "ccf_spread",
  },
  {
    name: "infinite_pivot_accepted",
    file: "cholesky.cuh",
    find: "pivot > 0 && pivot < infinity()",
    replace: "pivot > 0",
    source: "cholesky.cu",
    kernel: "cholesky_solve",
  },
  {
    name: "slope_not_folded",
    file: "interpolate.cuh",
    find: "slope[e] + t[d] * (above[e] - slope[e])",
    replace: "slope[e] + 0.0 * t[d] * above[e]",
    source: "interpolate.cu",
    kernel: "interpolate",
  },
  {
    name: "median_one_off",
    file: "resolution.cu",
    find: "const int upper = P / 2;",
    replace: "const int upper = (P + 1) / 2;",
    source: "resolution.cu",
    kernel: "resolution_deconvolve",
  },
  {
    name: "displacement_forgotten",
    file: "resolution.cu",
    find: "c.displacement[b] == 0",
    replace: "c.displacement[b] < 1",
    source: "resolution.cu",
    kernel: "resolution_deconvolve",
  },
  {
    name: "velocity_of_another",
    file: "fit.cu",
    find: "const double velocity = k.velocity[k.e0 + slot];",
    replace: "const double velocity = k.velocity[k.e0];",
    source: "fit.cu",
    kernel: "fit_evaluate",
  },
  {
    name: "lanes_read_before_all_have_written",
    file: "kappa.cu",
    find: "byTheta[lane] = dt;\n      }\n    }\n    __syncwarp();",
    replace: "byTheta[lane] = dt;\n      }\n    }",
    source: "kappa.cu",
    kernel: "kappa_fit",
  },
  {
    name: "polarity_forgotten",
    file: "kappa.cu",
    find: "const double along = p * (",
    replace: "const double along = -fabs(p) * (",
    source: "kappa.cu",
    kernel: "kappa_prepare",
  },
  {
    name: "first_interval_beyond_the_barrier",
    file: "currents.cu",
    find: "if (k == 0 || e[k - 1] < barrier) weight",
    replace: "if (k == 0) weight",
    source: "currents.cu",
    kernel: "shadow_currents",
  },
  {
    name: "negative_pixels_kept",
    file: "spots.cu",
    find: "value = value < 0 ? 0.0 : value;",
    replace: "",
    source: "spots.cu",
    kernel: "psf_spots",
  },
  {
    name: "pixel_of_the_centroid_not_whole",
    file: "spots.cu",
    find: "(left < 0 && right >= 0 ? 1.0 : 0.0)",
    replace: "0.0",
    source: "spots.cu",
    kernel: "psf_spots",
  },
  {
    name: "spot_not_cut_at_the_right",
    file: "normal_equations.cu",
    find: "column >= 0 && column < patch.columns",
    replace: "column >= 0 && column < c.NX",
    source: "normal_equations.cu",
    kernel: "normal_equations",
  },
  {
    name: "alpha_not_squared",
    file: "normal_equations.cu",
    find: "alpha * alpha + 1e-15",
    replace: "alpha + 1e-15",
    source: "normal_equations.cu",
    kernel: "weak_prior",
  },
  {
    name: "last_bin_of_a_row_left_out",
    file: "pixel_sums.cu",
    find: "to = w + 1;",
    replace: "to = w;",
    source: "pixel_sums.cu",
    kernel: "model_image",
  },
  {
    name: "masked_pixels_seen",
    file: "pixel_sums.cu",
    find: "if (w > 0) light += part;",
    replace: "light += part;",
    source: "pixel_sums.cu",
    kernel: "pixel_sums",
  },
  {
    name: "pivot_read_while_written",
    file: "banded.cuh",
    find: "const double pivot = *element(band, H, j, j);\n      __syncthreads();",
    replace: "const double pivot = *element(band, H, j, j);",
    source: "banded.cu",
    kernel: "banded_cholesky",
  },
  {
    name: "rows_past_the_band",
    file: "banded.cuh",
    find: "for (int i = i0 + SOLVED + q; i <= last; i += 8)",
    replace: "for (int i = i0 + SOLVED + q; i < last; i += 8)",
    source: "banded.cu",
    kernel: "banded_solve",
  },
  {
    name: "missing_neighbour_coupled",
    file: "schur.cu",
    find: "i == j ? 1.0 : 0.0",
    replace: "i == j ? 1.0 : 0.1",
    source: "schur.cu",
    kernel: "fibre_schur",
  },
  {
    name: "column_cut_short",
    file: "schur.cu",
    find: "bins = 2 * c.D + GROUP + c.H;",
    replace: "bins = 2 * c.D + c.H;",
    source: "schur.cu",
    kernel: "fibre_schur",
  },
  {
    name: "window_not_symmetric",
    file: "banded.cuh",
    find: "*windowElement(window, H, i + 1 + t, i) = sum;",
    replace: "",
    source: "root.cu",
    kernel: "band_extent",
  },
  {
    name: "last_pole_left_out",
    file: "root.cu",
    find: "warpSolve(L, H, own, u, v, p1, p2);",
    replace: "if (p + 1 == poles) break;\n    warpSolve(L, H, own, u, v, p1, p2);",
    source: "root.cu",
    kernel: "band_root",
  },
  {
    name: "window_overwritten_while_it_is_read",
    file: "root.cu",
    find: "// the next row takes the place of column i + H\n      __syncwarp();",
    replace: "",
    source: "root.cu",
    kernel: "band_root",
  },
  {
    name: "rows_for_columns",
    file: "root.cu",
    find: "/ rowsum[i];",
    replace: "/ total;",
    source: "root.cu",
    kernel: "decorrelate",
  },
  {
    name: "image_of_a_tile_left_out",
    file: "inverse_root.cu",
    find: "if (kind != WHOLE) o[j * N + i] = sum[r];",
    replace: "",
    source: "inverse_root.cu",
    kernel: "inverse_root",
  },
  {
    name: "tile_overwritten_while_it_is_read",
    file: "inverse_root.cu",
    find: "* value;\n        }\n        __syncthreads();",
    replace: "* value;\n        }",
    source: "inverse_root.cu",
    kernel: "inverse_root",
  },
  {
    name: "pair_of_columns_never_met",
    file: "inverse_root.cu",
    find: "for (int round = 0; round + 1 < players; round++)",
    replace: "for (int round = 0; round + 2 < players; round++)",
    source: "inverse_root.cu",
    kernel: "inverse_root",
  },
  {
    name: "last_row_of_the_band_left_out",
    file: "inverse_root.cu",
    find: "for (int m = i + 1; m <= last; m++)",
    replace: "for (int m = i + 1; m < last; m++)",
    source: "inverse_root.cu",
    kernel: "fibre_covariance",
  },
  {
    name: "row_of_another_bin",
    file: "inverse_root.cu",
    find: "/ rowsum[i] : 0.0",
    replace: "/ total : 0.0",
    source: "inverse_root.cu",
    kernel: "decorrelate_block",
  },
  {
    name: "equal_pitches_in_one_place",
    file: "losscone_prepare.cu",
    find: "(a[i] == alpha && i < j)",
    replace: "(a[i] == alpha && i < 0)",
    source: "losscone_prepare.cu",
    kernel: "losscone_tables",
  },
  {
    name: "last_count_of_a_box_left_out",
    file: "losscone_search.cuh",
    find: "for (int i = i0 + 1; i <= i1; i++) least = lower(least, sums[i]);\n      bound += least;",
    replace: "for (int i = i0 + 1; i < i1; i++) least = lower(least, sums[i]);\n      bound += least;",
    source: "losscone_search.cu",
    kernel: "losscone_search",
  },
  {
    name: "beam_inside_the_cone_left_out",
    file: "losscone_sweep.cuh",
    find: "if (!(more > FAINT)) break;",
    replace: "if (!(more > FAINT)) break;\n      if (j < i) continue;",
    source: "losscone_search.cu",
    kernel: "losscone_evaluate",
  },
  {
    name: "edge_of_the_cone_moved",
    file: "losscone.cu",
    find: "sineSquared(alpha) >= x) ? 1.0 : g",
    replace: "sineSquared(alpha) >= x - 1e-3) ? 1.0 : g",
    source: "losscone.cu",
    kernel: "losscone_model",
  },
  {
    name: "partner_may_be_the_parent",
    file: "evolution.cu",
    find: "if (r0 >= i) r0++;",
    replace: "",
    source: "evolution.cu",
    kernel: "evolution_step",
  },
  {
    name: "trials_written_before_all_are_bred",
    file: "evolution.cu",
    find: "cost = valueOf(sweep, trial);\n    }\n    __syncthreads();",
    replace: "cost = valueOf(sweep, trial);\n    }",
    source: "evolution.cu",
    kernel: "evolution_step",
  },
];

for (const mutant of MUTANTS) {
  emulatedTest(
    `the parity suite notices a broken ${mutant.kernel}: ${mutant.name.replaceAll("_", " ")}`,
    async () => {
      const { path } = await buildEmulated({ mutant });
      const library = new DeviceLibrary("emulated", path!);
      const wasm = loadWasmTarget();
      const noticed = [0, 1, 5].some((order) => {
        library.emulate("order", order);
        const target = new GpuTarget("emulated", { library });
        return !parityOf(kernelNamed(mutant.kernel), target, wasm, { cases: 2 }).ok;
      });
      assert.ok(noticed, "within tolerance in every order");
    },
  );
}

emulatedTest("without a change the same kernels pass", () => {
  const wasm = loadWasmTarget();
  const target = new GpuTarget("emulated", { library: emulated! });
  for (const kernel of new Set(MUTANTS.map((m) => m.kernel))) {
    assert.ok(parityOf(kernelNamed(kernel), target, wasm, { cases: 2 }).ok, kernel);
  }
  target.close();
});
