/** Primary headers of the output: with what, from what and how it was made. */
import { Header } from "../io/fits_header.ts";
import type { Frame, Medium } from "../io/spectra.ts";
import type { OutputPlan } from "./output.ts";
import { VERSION } from "./output_version.ts";

const COPIED = [
  "SPGRP",
  "SPGRPVAL",
  "TILEID",
  "SPECTRO",
  "PETAL",
  "NIGHT",
  "EXPID",
  "HPXPIXEL",
  "HPXNSIDE",
  "HPXNEST",
];

const MEDIUM: Readonly<Record<Medium, string>> = { air: "air", vacuum: "vac" };
const FRAME: Readonly<Record<Frame, string>> = {
  heliocentric: "HELIOCEN",
  barycentric: "BARYCENT",
  topocentric: "TOPOCENT",
  unknown: "UNKNOWN",
};

/** Text as a FITS header can hold it: what is not ASCII is percent-encoded. */
export function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, (other) => encodeURIComponent(other.toWellFormed()));
}

/** @param copied - copy the keywords that say which part of the sky or which exposure it is */
export function primaryHeader(plan: OutputPlan, copied: boolean): Header {
  const { file, library, options, arms } = plan;
  const header = new Header();
  const software = { twinspec: VERSION, deno: Deno.version.deno, v8: Deno.version.v8 };
  Object.entries(software).forEach(([name, version], i) => {
    const number = String(i).padStart(2, "0");
    header.set(`DEPNAM${number}`, name, "Software").set(`DEPVER${number}`, version, "Version");
  });
  arms.forEach((arm, i) => {
    header.set(`TMPLCON${i}`, file.arms[arm].setup, "Spec arm config name");
    header.set(`TMPLREV${i}`, headerText(library.name), "Spec template revision");
    header.set(`TMPLSVR${i}`, VERSION, "Spec template soft version");
  });
  header.set("RVS_CONF", headerText(plan.libraryPath));
  header.set("RVS_CMD", headerText(plan.commandLine));
  if (plan.redshifts !== null) {
    header.set("RR_FILE", headerText(plan.redshifts.path), "Redrock redshift file");
  }
  for (const key of copied ? COPIED : []) {
    const value = file.header.get(key);
    if (value !== undefined) header.set(key, value, file.header.comment(key));
  }
  header.set("IN_FILE", headerText(plan.paths.input));
  header.set("LIBNAME", headerText(library.name), "template library");
  header.set("LIBSUM", library.checksum);
  if (arms.length > 0) {
    header.set("AIRORVAC", MEDIUM[file.arms[arms[0]].medium], "medium of the wavelengths");
    header.set("SPECSYS", FRAME[file.arms[arms[0]].frame], "frame of wavelengths and velocities");
  }
  header.set("TARGET", headerText(plan.target), "what did the arithmetic");
  header.set("ARMS", arms.map((arm) => file.arms[arm].arm).join(","), "fitted");
  header.set("NPOLY", options.npoly, "continuum coefficients per spectrum");
  header.set("CONTINUM", options.continuum, "continuum basis");
  header.set("RESMAT", options.resolutionMatrix, "resolution matrix used");
  header.set("BANDLIM", options.bandLimit, "templates limited to the band of the pixels");
  header.set("RVONLY", options.rvOnly, "velocity and class only");
  header.setReal("MAXVEL", options.maxVel, "[km/s] velocities searched");
  header.setReal("MAXVSINI", options.maxVsini, "[km/s] rotation searched");
  header.set("JOINTBY", options.jointByTargetid ? "TARGETID" : "", "rows fitted together");
  if (plan.minSn !== null) header.setReal("MINSN", plan.minSn, "rows below were left out");
  Object.entries(options.fix).forEach(([name, value], i) => {
    header.set(`FIX${i + 1}`, `${name}=${value}`, "held fixed");
  });
  Object.entries(options.priors).forEach(([name, { mean, sigma }], i) => {
    header.set(`PRIOR${i + 1}`, `${name}=${mean},${sigma}`, "Gaussian prior: mean, sigma");
  });
  header.set("RUNHASH", plan.identity);
  return header;
}
