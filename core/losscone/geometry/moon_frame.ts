/**
 * The Moon-fixed frame (IAU pole and prime meridian, as SPICE's IAU_MOON) and the Sun in it, from astronomy-engine.
 */
import * as Astronomy from "astronomy-engine";
import type { UnixSeconds } from "../input/utc.ts";
import { along, cross, dot, unit, type Vector } from "./vectors.ts";

/** Axes of the Moon-fixed frame at a time, in J2000 equatorial coordinates. */
export function moonAxes(time: UnixSeconds): readonly [Vector, Vector, Vector] {
  const { north, ra, spin } = Astronomy.RotationAxis(Astronomy.Body.Moon, new Date(1000 * time));
  const pole: Vector = [north.x, north.y, north.z];
  const a = ra * 15 * Math.PI / 180, w = spin * Math.PI / 180;
  // W is counted from the node of the Moon's equator on that of J2000, which lies at right ascension 90° + α₀.
  const node: Vector = [-Math.sin(a), Math.cos(a), 0];
  const x = along([0, 0, 0], 1, along(scaled(node, Math.cos(w)), Math.sin(w), cross(pole, node)));
  return [x, cross(pole, x), pole];
}

const scaled = (a: Vector, s: number): Vector => [s * a[0], s * a[1], s * a[2]];

/** Direction of a body from the centre of the Moon, Moon-fixed, unit vector. */
export function directionOf(body: "Sun" | "Earth", time: UnixSeconds): Vector {
  const date = new Date(1000 * time);
  const moon = Astronomy.HelioVector(Astronomy.Body.Moon, date);
  const other = body === "Sun" ? { x: 0, y: 0, z: 0 } : Astronomy.HelioVector(Astronomy.Body.Earth, date);
  const to: Vector = [other.x - moon.x, other.y - moon.y, other.z - moon.z];
  const [x, y, z] = moonAxes(time);
  return unit([dot(to, x), dot(to, y), dot(to, z)]);
}

/** Seconds between the times that the Sun is computed for; it moves 0.09° meanwhile, linear to 3e-7 rad. */
const STEP = 600;
/** Times kept. */
const KEPT = 4096;

/** Direction of the Sun, Moon-fixed, for many times near each other. */
export class SunTrack {
  readonly #known = new Map<number, Vector>();

  /** NaN for a time that is NaN. */
  at(time: UnixSeconds): Vector {
    const node = Math.floor(time / STEP), part = time / STEP - node;
    if (Number.isNaN(node)) return [NaN, NaN, NaN];
    const [a, b] = [this.#node(node), this.#node(node + 1)];
    return unit(along(scaled(a, 1 - part), part, b));
  }

  #node(node: number): Vector {
    let known = this.#known.get(node);
    if (known === undefined) {
      if (this.#known.size >= KEPT) this.#known.clear();
      this.#known.set(node, known = directionOf("Sun", node * STEP));
    }
    return known;
  }
}
