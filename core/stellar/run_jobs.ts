/** What the batches of a file share, made once for all files that have the same. */
import type { SpectrumFile } from "../io/spectra.ts";
import type { LibraryHead, LibrarySource } from "../templates/library_source.ts";
import type { PreparationRequest, PreparedArm } from "../templates/prepared.ts";
import type { FitJob } from "./batch.ts";
import type { FitOptions } from "./options.ts";

type MaybePromise<T> = T | Promise<T>;

/** An open library; spectra may still be in its file. */
export type FitLibrary = LibraryHead & LibrarySource & { close?(): void };

export interface Preparation {
  /** Library brought to the line spread of an arm. @throws InputError where the library does not serve it */
  prepareArm(library: FitLibrary, request: PreparationRequest): MaybePromise<PreparedArm>;
  /** Equal for requests with equal answers. */
  preparationKey(library: FitLibrary, request: PreparationRequest): string;
  /** Whether what was prepared for one of them does for another. */
  coversRequest(prepared: PreparedArm, request: PreparationRequest): boolean;
}

/** Prepared spectra kept for files to come, bytes. */
const KEPT = 2 ** 30;

export class JobMaker {
  readonly #prepared = new Map<string, PreparedArm>();
  #jobs: { readonly key: string; readonly job: FitJob }[] = [];
  #bytes = 0;
  /** Whether everything prepared so far is still there. */
  roomy = true;

  constructor(
    readonly library: FitLibrary,
    readonly options: FitOptions,
    readonly preparation: Preparation,
  ) {}

  /** The job of a file; the same object for files that can share it. */
  async make(file: SpectrumFile, arms: readonly number[]): Promise<FitJob> {
    const { library, options } = this;
    const requests = arms.map((arm) => this.#request(file, arm));
    const keys = requests.map((request) => this.preparation.preparationKey(library, request));
    const grids = arms.map((arm) => {
      const { arm: name, setup, medium, frame, lsf, ndiag } = file.arms[arm];
      return [name, setup, medium, frame, lsf.kind === "table" ? [...lsf.sigma] : lsf, ndiag];
    });
    const key = JSON.stringify([keys, grids]);
    const known = this.#jobs.find((other) =>
      other.key === key && other.job.arms.every((arm, i) => sameNumbers(arm.lam, requests[i].lam))
    );
    if (known !== undefined) return known.job;
    const prepared: PreparedArm[] = [];
    for (let i = 0; i < arms.length; i++) prepared.push(await this.#prepare(keys[i], requests[i]));
    const { axes, templates, params, idgrid, classes } = library;
    const job: FitJob = {
      options,
      library: { axes, templates, params, idgrid, classes },
      arms: arms.map((arm, i) => {
        const { arm: name, setup, lam, medium, frame, lsf, ndiag } = file.arms[arm];
        return { arm: name, setup, lam, medium, frame, lsf, ndiag, prepared: prepared[i] };
      }),
    };
    this.#jobs = [{ key, job }, ...this.#jobs.slice(0, 7)];
    return job;
  }

  #request(file: SpectrumFile, arm: number): PreparationRequest {
    const { setup, lam, medium, lsf, ndiag } = file.arms[arm];
    const { resolutionMatrix, bandLimit, maxVel } = this.options;
    return { setup, lam, medium, lsf, resolutionMatrix: resolutionMatrix && ndiag > 0, bandLimit, maxVel };
  }

  async #prepare(key: string, request: PreparationRequest): Promise<PreparedArm> {
    const known = this.#prepared.get(key);
    if (known !== undefined && this.preparation.coversRequest(known, request)) return known;
    this.#bytes -= known?.lnflux.byteLength ?? 0;
    const arm = await this.preparation.prepareArm(this.library, request);
    const prepared = { ...arm, lnflux: shared(arm.lnflux) };
    this.#prepared.set(key, prepared);
    this.#bytes += prepared.lnflux.byteLength;
    for (const [oldest, { lnflux }] of this.#prepared) {
      if (this.#bytes <= KEPT || oldest === key) break;
      this.#prepared.delete(oldest);
      this.#bytes -= lnflux.byteLength;
      this.roomy = false;
    }
    return prepared;
  }
}

/** The same numbers in memory that workers can share. */
function shared(numbers: Float32Array): Float32Array {
  if (numbers.buffer instanceof SharedArrayBuffer) return numbers;
  const copy = new Float32Array(new SharedArrayBuffer(numbers.byteLength));
  copy.set(numbers);
  return copy;
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  return a === b || (a.length === b.length && a.every((x, i) => x === b[i]));
}
