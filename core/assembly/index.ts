// The numeric core: every exported kernel, family by family. See core/kernels for their declarations.
export { ccf_scan, ccf_spread } from "./ccf";
export { chisq, chisq_gradient } from "./chisq";
export { cholesky_solve } from "./cholesky";
export { fit_evaluate, fit_model, fit_scan } from "./fit";
export { fourier_twiddles, irfft, rfft } from "./fourier";
export { interpolate } from "./interpolate";
export { losscone_chisq, losscone_model } from "./losscone";
export { losscone_normalise, losscone_pitch, losscone_tables } from "./losscone_prepare";
export { losscone_evaluate, losscone_search } from "./losscone_search";
export { heapBase } from "./memory";
export { rebin_apply, rebin_log, rebin_weights } from "./rebin";
export { resolution_apply, resolution_deconvolve, resolution_gaussian } from "./resolution";
export { rotate, rotation_weights } from "./rotation";
export { spline_build, spline_evaluate, spline_factor } from "./spline";
