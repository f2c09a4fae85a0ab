/** Sweeps of an NPZ that was prepared elsewhere. It is held in memory: 21 kB a sweep, and as much again while it opens. */
import { InputError } from "../../io/input_error.ts";
import { type NpyArray, npyFloat64, readNpz } from "../../io/npy.ts";
import { SWEEP_CELLS, SWEEP_ROWS, type SweepBatch } from "../sweep.ts";
import type { InputOptions, RawSweeps, SweepHead, SweepSource } from "./source.ts";
import { checkTheta } from "./theta_table.ts";

const R = SWEEP_ROWS, P = SWEEP_CELLS;

type Axis = number | "n";
/** Shapes that a key may have; `n` is the number of sweeps. */
const SHAPES = {
  energy: [[R], ["n", R]],
  theta: [[P]],
  solid_angle: [[P]],
  flux: [["n", R, P]],
  phi: [["n", R, P], ["n", P], [P]],
  mag: [["n", 3], ["n", R, 3]],
  polarity: [["n"], ["n", R]],
  u_spacecraft: [["n"], ["n", R]],
  spec_no: [["n"]],
  utc: [["n"], ["n", R]],
  spacecraft_in_sun: [["n"]],
} as const satisfies Record<string, readonly (readonly Axis[])[]>;
type Key = keyof typeof SHAPES;

const REQUIRED: readonly Key[] = ["energy", "theta", "solid_angle", "flux", "phi", "mag", "polarity"];
const OPTIONAL: readonly Key[] = ["u_spacecraft", "spec_no", "utc", "spacecraft_in_sun"];

/** Opens an NPZ of prepared sweeps. @throws InputError where a key is missing or has a wrong shape: it is named */
export function openPrepared(path: string, options: InputOptions): SweepSource {
  const all = readNpz(path);
  const required = options.polarity === null ? REQUIRED : REQUIRED.filter((key) => key !== "polarity");
  const missing = required.filter((key) => !all.has(key));
  if (missing.length > 0) {
    const lacks = missing.length === 1 ? `the key ${missing[0]}` : `the keys ${missing.join(", ")}`;
    throw new InputError(
      `${path}: lacks ${lacks}; an NPZ of prepared sweeps needs ${REQUIRED.join(", ")} and holds ${
        [...all.keys()].join(", ")
      }`,
    );
  }
  const n = all.get("flux")!.shape[0] ?? 0;
  const given = new Map<Key, NpyArray>();
  for (const key of [...REQUIRED, ...OPTIONAL]) {
    const array = all.get(key);
    if (array === undefined) continue;
    const fits = SHAPES[key].some((shape) =>
      shape.length === array.shape.length &&
      shape.every((axis, i) => (axis === "n" ? n : axis) === array.shape[i])
    );
    if (!fits) {
      const wanted = SHAPES[key].map((shape) => shown(shape)).join(" or ");
      throw new InputError(
        `${path}: ${key} has shape ${shown(array.shape)}, expected ${wanted}${
          key === "flux" ? "" : ` with n = ${n}, the sweeps of flux`
        }`,
      );
    }
    given.set(key, array);
  }
  return new PreparedSource(path, n, given);
}

function shown(shape: readonly Axis[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

class PreparedSource implements SweepSource {
  readonly paths: readonly string[];
  readonly theta: Float64Array;
  readonly solidAngle: Float64Array;
  readonly knows: SweepSource["knows"];
  readonly #numbers = new Map<Key, Float64Array>();
  readonly #shapes = new Map<Key, readonly number[]>();
  readonly #specNo: Float64Array | null;
  readonly #utc: readonly string[] | null;

  constructor(readonly path: string, readonly sweeps: number, given: ReadonlyMap<Key, NpyArray>) {
    this.paths = [path];
    for (const [key, array] of given) {
      this.#shapes.set(key, array.shape);
      if (key !== "utc") this.#numbers.set(key, npyFloat64(array, `${path}[${key}]`));
    }
    this.theta = checkTheta(this.#numbers.get("theta")!, `${path}[theta]`);
    this.solidAngle = this.#numbers.get("solid_angle")!;
    this.#specNo = this.#numbers.get("spec_no") ?? null;
    const distinct = new Set(this.#specNo ?? []).size;
    if (this.#specNo !== null && distinct < sweeps) {
      throw new InputError(
        `${path}: spec_no holds ${distinct} numbers for ${sweeps} sweeps; each must be another`,
      );
    }
    const utc = given.get("utc");
    if (utc !== undefined && !Array.isArray(utc.data)) {
      throw new InputError(`${path}: utc holds ${utc.dtype}, expected strings such as 1999-04-29T14:45:00`);
    }
    this.#utc = utc === undefined ? null : utc.data as string[];
    this.knows = {
      polarity: given.has("polarity"),
      potential: given.has("u_spacecraft"),
      time: utc !== undefined,
    };
  }

  head(sweep: number): SweepHead {
    return { specNo: this.#specNo?.[sweep] ?? sweep, rows: R, path: this.path };
  }

  load(sweeps: readonly number[]): { batch: RawSweeps; transfer: Transferable[] } {
    const n = sweeps.length;
    const gather = (key: Key, cell: number) => this.#gather(key, sweeps, cell);
    const batch: SweepBatch = {
      count: n,
      rows: R,
      cells: P,
      energy: gather("energy", 1),
      theta: this.theta.slice(),
      phi: gather("phi", P),
      flux: gather("flux", P),
      field: gather("mag", 3),
      polarity: gather("polarity", 1),
      uSpacecraft: gather("u_spacecraft", 1),
    };
    const perRow = this.#shapes.get("utc")?.length === 2;
    const utc = sweeps.flatMap((sweep) =>
      Array.from({ length: R }, (_, r) => this.#utc?.[perRow ? sweep * R + r : sweep] ?? "")
    );
    const sun = this.#numbers.get("spacecraft_in_sun");
    const sunlit = sweeps.map((sweep) => sun === undefined ? -1 : sun[sweep] > 0 ? 1 : 0);
    return {
      batch: {
        heads: sweeps.map((sweep) => this.head(sweep)),
        content: { kind: "arrays", batch, utc, sunlit },
      },
      transfer: [batch.phi.buffer as ArrayBuffer, batch.flux.buffer as ArrayBuffer],
    };
  }

  close(): void {}

  /** Values of sweeps as (n, R, cell), repeated over the axes that the array lacks; NaN where the key is not there. */
  #gather(key: Key, sweeps: readonly number[], cell: number): Float64Array {
    const out = new Float64Array(sweeps.length * R * cell);
    const data = this.#numbers.get(key), shape = this.#shapes.get(key);
    if (data === undefined || shape === undefined) return out.fill(NaN);
    const axes = cell === 1 ? shape : shape.slice(0, -1);
    const perSweep = axes[0] === this.sweeps && !(key === "energy" && shape.length === 1) && axes.length > 0;
    const perRow = axes.at(-1) === R && (axes.length === 2 || key === "energy");
    sweeps.forEach((sweep, i) => {
      for (let r = 0; r < R; r++) {
        const at = ((perSweep ? sweep * (perRow ? R : 1) : 0) + (perRow ? r : 0)) * cell;
        out.set(data.subarray(at, at + cell), (i * R + r) * cell);
      }
    });
    return out;
  }
}
