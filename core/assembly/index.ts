// The numeric core: every exported kernel, family by family. See core/kernels for their declarations.
export { spline_build, spline_evaluate, spline_factor } from "./spline";
