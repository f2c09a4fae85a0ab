// The numeric core: every exported kernel, family by family. See core/kernels for their declarations.
export { ccf_scan, ccf_spread } from "./ccf";
export { chisq, chisq_gradient } from "./chisq";
export { cholesky_solve } from "./cholesky";
export { electron_current, photoelectron_potential, shadow_currents, shadow_potential } from "./currents";
export { fit_evaluate, fit_model, fit_scan } from "./fit";
export { fourier_twiddles, irfft, rfft } from "./fourier";
export { interpolate } from "./interpolate";
export { kappa_chisq, kappa_fit, kappa_flux, kappa_prepare, kappa_response } from "./kappa";
export { heapBase } from "./memory";
export { rebin_apply, rebin_log, rebin_weights } from "./rebin";
export { resolution_apply, resolution_deconvolve, resolution_gaussian } from "./resolution";
export { rotate, rotation_weights } from "./rotation";
export { spline_build, spline_evaluate, spline_factor } from "./spline";
