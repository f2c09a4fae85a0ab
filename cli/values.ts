/** Parsers of option values: each answers a wrong value with one sentence that quotes it. */
import { message, text } from "@optique/core/message";
import type { NonEmptyString } from "@optique/core/nonempty";
import type { ValueParser, ValueParserResult } from "@optique/core/valueparser";
import type { GridRequest } from "../core/extraction/grid.ts";
import type { Prior } from "../core/stellar/options.ts";

/**
 * @param read - undefined where the input is wrong
 * @param expected - ends the sentence "Expected …"
 * @param placeholder - any legal value
 */
function valueParser<T>(
  metavar: NonEmptyString,
  placeholder: T,
  read: (input: string) => T | undefined,
  expected: string,
  format: (value: T) => string,
): ValueParser<"sync", T> {
  return {
    mode: "sync",
    metavar,
    placeholder,
    parse(input: string): ValueParserResult<T> {
      const value = read(input);
      if (value !== undefined) return { success: true, value };
      return { success: false, error: message`Expected ${text(expected)}, got ${input}.` };
    },
    format,
  };
}

/** A finite decimal number; undefined for anything else, also for the empty string. */
function decimal(input: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(input.trim())) return undefined;
  const value = Number(input);
  return Number.isFinite(value) ? value : undefined;
}

/** A number within limits. */
export function number(
  metavar: NonEmptyString,
  min = -Infinity,
  max = Infinity,
): ValueParser<"sync", number> {
  const limits = min === -Infinity
    ? "a number"
    : max === Infinity
    ? `a number of at least ${min}`
    : `a number in ${min} … ${max}`;
  return valueParser(
    metavar,
    Math.max(min, 0),
    (input) => {
      const value = decimal(input);
      return value !== undefined && value >= min && value <= max ? value : undefined;
    },
    limits,
    String,
  );
}

/** An integer within limits. */
export function whole(
  metavar: NonEmptyString,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): ValueParser<"sync", number> {
  const limits = max === Number.MAX_SAFE_INTEGER
    ? `an integer of at least ${min}`
    : `an integer in ${min} … ${max}`;
  return valueParser(
    metavar,
    min,
    (input) => {
      const value = /^[+-]?\d+$/.test(input.trim()) ? Number(input) : NaN;
      return value >= min && value <= max ? value : undefined;
    },
    limits,
    String,
  );
}

/** Comma-separated TARGETIDs, int64. */
export function targetids(): ValueParser<"sync", readonly bigint[]> {
  return valueParser<readonly bigint[]>(
    "N[,N…]",
    [],
    (input) => {
      const words = input.split(",").map((word) => word.trim());
      if (!words.every((word) => /^-?\d{1,19}$/.test(word))) return undefined;
      const ids = words.map(BigInt);
      return ids.every((id) => BigInt.asIntN(64, id) === id) ? ids : undefined;
    },
    "TARGETIDs separated by commas",
    (ids) => ids.join(","),
  );
}

/** Where to compute: `auto`, `wasm`, `emulated`, `cuda`, or `cuda:0,2`. */
export function target(): ValueParser<"sync", string> {
  return valueParser(
    "TARGET",
    "auto",
    (input) => /^(auto|wasm|emulated|(cuda|emulated)(:\d{1,3}(,\d{1,3})*)?)$/.test(input) ? input : undefined,
    "auto, wasm, cuda, cuda:0,2 or emulated",
    String,
  );
}

/** One TARGETID, int64. */
export function targetid(): ValueParser<"sync", bigint> {
  return valueParser(
    "N",
    0n,
    (input) => {
      if (!/^-?\d{1,19}$/.test(input.trim())) return undefined;
      const id = BigInt(input.trim());
      return BigInt.asIntN(64, id) === id ? id : undefined;
    },
    "a TARGETID, an integer of 64 bits",
    String,
  );
}

/** Comma-separated names of arms, lower-cased, each once. */
export function arms(): ValueParser<"sync", readonly string[]> {
  return valueParser<readonly string[]>(
    "ARM[,ARM…]",
    [],
    (input) => {
      const words = input.split(",").map((word) => word.trim().toLowerCase());
      return words.every((word) => /^[a-z][a-z0-9_]*$/.test(word)) ? [...new Set(words)] : undefined;
    },
    "names of arms separated by commas, as in b,r,z",
    (names) => names.join(","),
  );
}

/** NAME=VALUE of --fix. */
export interface Fixed {
  readonly name: string;
  readonly value: number;
}

/** A parameter and the value it is held at. */
export function fixed(): ValueParser<"sync", Fixed> {
  return valueParser<Fixed>(
    "NAME=VALUE",
    { name: "", value: 0 },
    (input) => {
      const [name, value, ...rest] = input.split("=");
      const parsed = value === undefined || rest.length > 0 ? undefined : decimal(value);
      return name.trim() === "" || parsed === undefined
        ? undefined
        : { name: name.trim().toLowerCase(), value: parsed };
    },
    "NAME=VALUE with a number, as in teff=5000",
    (f) => `${f.name}=${f.value}`,
  );
}

/** NAME=MEAN,SIGMA of --prior. */
export interface NamedPrior extends Prior {
  readonly name: string;
}

/** A parameter with the mean and σ of its Gaussian prior. */
export function prior(): ValueParser<"sync", NamedPrior> {
  return valueParser<NamedPrior>(
    "NAME=MEAN,SIGMA",
    { name: "", mean: 0, sigma: 1 },
    (input) => {
      const [name, value, ...rest] = input.split("=");
      const [mean, sigma, ...more] = (value ?? "").split(",").map(decimal);
      if (name.trim() === "" || rest.length > 0 || more.length > 0) return undefined;
      if (mean === undefined || sigma === undefined || !(sigma > 0)) return undefined;
      return { name: name.trim().toLowerCase(), mean, sigma };
    },
    "NAME=MEAN,SIGMA with two numbers, the second above 0, as in feh=-0.5,0.2",
    (p) => `${p.name}=${p.mean},${p.sigma}`,
  );
}

/** FIRST,LAST,STEP of a wavelength grid, Å. */
export function wavelengthGrid(): ValueParser<"sync", GridRequest> {
  return valueParser<GridRequest>(
    "FIRST,LAST,STEP",
    { min: 5760, max: 7620, step: 0.8 },
    (input) => {
      const [min, max, step, ...more] = input.split(",").map(decimal);
      if (min === undefined || max === undefined || step === undefined || more.length > 0) return undefined;
      return min > 0 && max >= min && step > 0 ? { min, max, step } : undefined;
    },
    "FIRST,LAST,STEP in Å with LAST not below FIRST, as in 5760.0,7620.0,0.8",
    (grid) => `${grid.min},${grid.max},${grid.step}`,
  );
}

/** Which of ±B points to the Moon. */
export function polarity(): ValueParser<"sync", 1 | -1> {
  return valueParser<1 | -1>(
    "±1",
    1,
    (input) => /^\+?1$/.test(input) ? 1 : /^[-−]1$/.test(input) ? -1 : undefined,
    "1 or -1",
    String,
  );
}
