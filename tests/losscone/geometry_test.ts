/** Where a sweep was measured: Moon-fixed frame, field lines, sunlight, ephemeris, environment. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as Astronomy from "astronomy-engine";
import fc from "fast-check";
import { InputError } from "../../core/io/input_error.ts";
import { ENVIRONMENT, environmentClass } from "../../core/losscone/environment.ts";
import { readEphemeris, stateAt } from "../../core/losscone/geometry/ephemeris.ts";
import {
  distanceToMoon,
  fromAxes,
  inSunlight,
  latLon,
  MOON_RADIUS,
  spacecraftAxes,
  traceField,
} from "../../core/losscone/geometry/field_line.ts";
import { directionOf, moonAxes, SunTrack } from "../../core/losscone/geometry/moon_frame.ts";
import { placeRow } from "../../core/losscone/geometry/places.ts";
import { cross, dot, unit, type Vector } from "../../core/losscone/geometry/vectors.ts";
import { inFolder } from "../cli/run_cli.ts";

const close = (a: number, b: number, within: number, what = "") =>
  assert.ok(Math.abs(a - b) <= within, `${what} ${a} against ${b}`);
const TIMES = ["1998-01-20T03:00:00Z", "1999-04-29T14:45:00Z", "1999-07-28T12:34:56Z"].map((t) =>
  Date.parse(t) / 1000
);
const R = MOON_RADIUS;

Deno.test("Moon-fixed axes are orthonormal, right-handed, and near those of J2000 by the pole", () => {
  for (const time of TIMES) {
    const [x, y, z] = moonAxes(time);
    close(dot(x, y), 0, 1e-14);
    close(Math.hypot(...z), 1, 1e-12);
    cross(x, y).forEach((c, k) => close(c, z[k]!, 1e-12));
  }
});

Deno.test("the Earth stands in the Moon's sky where the libration says", () => {
  // Independent of the axes: libration from the ecliptic position, Meeus chapter 53. It leaves out 0.03° of physical terms.
  for (const time of TIMES) {
    const [lat, lon] = latLon(directionOf("Earth", time));
    const { elat, elon } = Astronomy.Libration(new Date(1000 * time));
    close(lat, elat, 0.05, "latitude");
    close(lon, elon, 0.05, "longitude");
  }
});

Deno.test("at full Moon the Sun is over the near side, at new Moon over the far side", () => {
  const at = (phase: number) => {
    const time = Astronomy.SearchMoonPhase(phase, new Date("1999-04-01T00:00:00Z"), 40)!.date.getTime() /
      1000;
    return latLon(directionOf("Sun", time));
  };
  close(at(180)[1], 0, 8);
  assert.ok(Math.abs(at(0)[1]) > 172);
  close(Math.abs(at(90)[1]), 90, 8);
  // Before full Moon the Sun stands east of the meridian.
  assert.ok(at(135)[1] > 30);
  close(at(180)[0], 0, 1.6);
});

Deno.test("the Sun between the times it is computed for", () => {
  const track = new SunTrack();
  for (const time of TIMES) {
    for (const later of [0, 1, 299.5, 599]) {
      const direct = directionOf("Sun", time + later);
      track.at(time + later).forEach((x, k) => close(x, direct[k]!, 1e-6));
    }
  }
  assert.ok(Number.isNaN(track.at(NaN)[0]));
});

Deno.test("field lines: along B, against B, past the Moon, from within, along the surface", () => {
  const from: Vector = [R + 100, 0, 0];
  const down = traceField(from, [-5, 0, 0]), up = traceField(from, [5, 0, 0]);
  assert.deepEqual([down.polarity, up.polarity], [1, -1]);
  for (const foot of [down, up]) {
    assert.deepEqual(foot.point!.map((x) => Math.round(x * 1e6) / 1e6), [R, 0, 0]);
  }
  assert.deepEqual(traceField(from, [0, 3, 0]), { polarity: 0, point: null });
  assert.equal(traceField([100, 0, 0], [1, 2, 3]).polarity, 0);
  assert.equal(traceField(from, [NaN, 0, 0]).polarity, 0);
  assert.equal(traceField([NaN, 0, 0], [1, 0, 0]).polarity, 0);
  assert.equal(traceField(from, [0, 0, 0]).polarity, 0);
});

Deno.test("field lines from anywhere: the footprint is on the sphere, on the line, on the near side", () => {
  const direction = fc.tuple(
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 6.28, noNaN: true }),
  )
    .map(([z, a]): Vector => [Math.sqrt(1 - z * z) * Math.cos(a), Math.sqrt(1 - z * z) * Math.sin(a), z]);
  fc.assert(
    fc.property(direction, direction, fc.double({ min: 5, max: 5000, noNaN: true }), (place, b, height) => {
      const from = place.map((x) => x * (R + height)) as unknown as Vector;
      const { polarity, point } = traceField(from, b);
      const miss = Math.sqrt(Math.max(0, dot(from, from) - dot(from, b) ** 2));
      if (Math.abs(miss - R) < 1e-3) return;
      assert.equal(polarity !== 0, miss < R);
      if (point === null) return;
      close(Math.hypot(...point), R, 1e-6);
      const to = point.map((x, k) => x - from[k]!) as unknown as Vector;
      close(dot(unit(to), b), polarity, 1e-9);
      assert.ok(dot(point, from) > 0, "the near intersection");
    }),
  );
});

Deno.test("sunlight: the Moon's shadow is a cylinder behind it", () => {
  const sun: Vector = [1, 0, 0];
  assert.equal(inSunlight([R + 50, 0, 0], sun), true);
  assert.equal(inSunlight([-R - 50, 0, 0], sun), false);
  assert.equal(inSunlight([-3000, R - 1, 0], sun), false);
  assert.equal(inSunlight([-3000, R + 1, 0], sun), true);
  assert.ok(Number.isNaN(distanceToMoon([0, 0, R + 1], [1, 0, 0])));
});

Deno.test("the despun frame: Z the spin axis, X towards the Sun, Y completes it", () => {
  const axes = spacecraftAxes([0, 0, 2], unit([1, 1, 0.5]));
  const s = Math.SQRT1_2;
  const expected = [[s, s, 0], [-s, s, 0], [0, 0, 1]];
  axes.forEach((axis, i) => axis.forEach((x, k) => close(x, expected[i]![k]!, 1e-15)));
  fromAxes([1, 0, 3], axes).forEach((x, k) => close(x, [s, s, 3][k]!, 1e-15));
});

Deno.test("latitude and longitude", () => {
  assert.deepEqual(latLon([0, 0, 5]).map(Math.round), [90, 0]);
  assert.deepEqual(latLon([0, -5, 0]).map(Math.round), [0, -90]);
  close(latLon([-1, 1e-9, 1])[1], 180, 1e-6);
});

/** A circular orbit sampled each minute, with a gap of 20 minutes. */
function orbit(): string {
  const lines = ["# made for a test", "spin_z,utc,x,y,z,spin_x,spin_y"];
  for (let minute = 0; minute <= 120; minute++) {
    if (minute > 60 && minute < 80) continue;
    const a = minute * 2 * Math.PI / 118;
    const place = [1838 * Math.cos(a), 0, 1838 * Math.sin(a)].map((x) => x.toFixed(6));
    const utc = new Date(Date.UTC(1999, 3, 29) + 60_000 * minute).toISOString();
    lines.push(["0.1", utc, ...place, "0", (1 + minute / 1000).toString()].join(","));
  }
  return lines.join("\n") + "\n";
}

Deno.test("ephemeris: columns by name, a cubic in between, nothing outside and in gaps", () =>
  inFolder((folder) => {
    const path = join(folder, "lp.csv");
    writeFileSync(path, orbit());
    const ephemeris = readEphemeris(path), start = Date.UTC(1999, 3, 29) / 1000;
    for (const at of [0, 17, 600.5, 3599, 3600, 4800, 5000]) {
      const { position, spin } = stateAt(ephemeris, start + at)!;
      const a = at * 2 * Math.PI / (118 * 60);
      [1838 * Math.cos(a), 0, 1838 * Math.sin(a)].forEach((x, k) =>
        close(position[k]!, x, [0, 17, 3599].includes(at) ? 0.03 : 0.001, `at ${at}`)
      );
      close(Math.hypot(...spin), 1, 1e-14);
      assert.ok(spin[1] > 0.99 && spin[2] > 0.08);
    }
    for (const at of [-1, 3601, 4799, 7201, NaN]) {
      assert.equal(stateAt(ephemeris, start + at), null, String(at));
    }
    assert.ok(Number.isNaN(placeRow(ephemeris, new SunTrack(), start + 4000, [1, 0, 0]).polarity));
  }));

Deno.test("ephemeris: what is wrong is told with its line", () =>
  inFolder((folder) => {
    const path = join(folder, "lp.csv");
    const told = (text: string) => {
      writeFileSync(path, text);
      try {
        readEphemeris(path);
      } catch (error) {
        assert.ok(error instanceof InputError);
        return error.message;
      }
      assert.fail("not refused");
    };
    const a = "1999-04-29T00:00:00,1,2,3,0,0,1\n", b = "1999-04-29T00:01:00,1,2,3,0,0,1\n";
    assert.match(told(b + a), /line 2: utc 1999-04-29T00:00:00 is not later than that before/);
    assert.match(told(a + a), /line 2: .* not later/);
    assert.match(told(a + b.replace("2,3", "2,x")), /line 2: z is "x", expected a finite number/);
    assert.match(told(a + "1999-04-29T00:01:00,1,2\n"), /line 2: has no z/);
    assert.match(told(a + b.replace("1999-04-29T", "29.4.")), /line 2: utc is "29\.4\.00:01:00"/);
    assert.match(told("utc,x,y,z\n" + a), /line 1: names no column spin_x/);
    assert.match(told(a), /holds 1 times, expected two or more/);
    assert.throws(() => readEphemeris(join(folder, "none.csv")), /none\.csv: cannot be opened/);
  }));

Deno.test("environment: a row without footprint is not wake, as the reference has it", () => {
  const { unknown, wake, lobe, magnetosheath } = ENVIRONMENT;
  assert.equal(environmentClass(false, 100), wake);
  assert.equal(environmentClass(null, 100), lobe);
  assert.equal(environmentClass(null, NaN), unknown);
  assert.equal(environmentClass(true, NaN), unknown);
  assert.equal(environmentClass(true, 0), unknown);
  assert.deepEqual([29.9, 30, 80, 150].map((t) => environmentClass(true, t)), [1, 2, 3, 4]);
  assert.equal(environmentClass(null, 30), magnetosheath);
});
