// The numeric core: every exported kernel, family by family. See core/kernels for their declarations.
export { banded_cholesky, banded_solve } from "./banded";
export { ccf_scan, ccf_spread } from "./ccf";
export { chisq, chisq_gradient } from "./chisq";
export { cholesky_solve } from "./cholesky";
export { fit_evaluate, fit_model, fit_scan } from "./fit";
export { fourier_twiddles, irfft, rfft } from "./fourier";
export { interpolate } from "./interpolate";
export { heapBase } from "./memory";
export { normal_equations, weak_prior } from "./normal_equations";
export { rebin_apply, rebin_log, rebin_weights } from "./rebin";
export { resolution_apply, resolution_deconvolve, resolution_gaussian } from "./resolution";
export { band_extent, band_root, decorrelate } from "./root";
export { rotate, rotation_weights } from "./rotation";
export { fibre_schur } from "./schur";
export { model_image, pixel_sums } from "./pixel_sums";
export { psf_spots } from "./spots";
export { spline_build, spline_evaluate, spline_factor } from "./spline";
