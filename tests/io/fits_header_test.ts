import assert from "node:assert/strict";
import fc from "fast-check";
import { type CardValue, Header } from "../../core/io/fits_header.ts";
import { assertInputError } from "./faults.ts";

const roundTrip = (header: Header): Header => Header.parse(header.toBytes(), "x.fits[0]");
const fromLines = (...lines: string[]): Header =>
  Header.parse(
    new TextEncoder().encode([...lines, "END"].map((line) => line.padEnd(80)).join("")),
    "x.fits[0]",
  );

const ascii = fc.string({
  unit: fc.integer({ min: 32, max: 126 }).map((c) => String.fromCharCode(c)),
  maxLength: 300,
  // Otherwise only short ones are tried.
  size: "max",
});
const key = fc.stringMatching(/^[A-Z][A-Z0-9_-]{0,7}$/).filter((k) =>
  !["END", "COMMENT", "HISTORY"].includes(k)
);
const value: fc.Arbitrary<CardValue> = fc.oneof(
  ascii.map((text) => text.trimEnd()),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }).map((n) =>
    Number.isSafeInteger(Number(n)) ? Number(n) : n
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
  fc.constant(null),
);

Deno.test("every value survives printing and parsing, long strings and quotes too", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value)), (pairs) => {
      const header = new Header();
      for (const [k, v] of pairs) header.set(k, v, "a comment");
      const back = roundTrip(header);
      assert.deepEqual(back.keys, header.keys);
      for (const k of header.keys) assert.deepEqual(back.get(k), header.get(k), k);
      assert.equal(header.toBytes().byteLength % 2880, 0);
    }),
    { numRuns: 300 },
  );
});

Deno.test("keywords keep their order, any case finds them, set keeps place and comment", () => {
  const header = new Header().set("A", 1, "first").set("B", "two").set("C", true);
  header.set("b", 3).set("a", 2);
  assert.deepEqual(header.cards.map((card) => [card.key, card.value]), [["A", 2], ["B", 3], ["C", true]]);
  assert.equal(header.comment("A"), "first");
  assert.ok(header.delete("B") && !header.delete("B"));
  assert.deepEqual(roundTrip(header).keys, ["A", "C"]);
});

Deno.test("commentary is kept, long lines are split", () => {
  const header = new Header().addCommentary("COMMENT", "x".repeat(100)).addCommentary("HISTORY", "step");
  const back = roundTrip(header);
  assert.equal(back.commentary("COMMENT").join(""), "x".repeat(100));
  assert.deepEqual(back.commentary("HISTORY"), ["step"]);
});

Deno.test("what other writers print is understood", () => {
  const header = fromLines(
    "LONG    = 'This is ''long'' &'   / one",
    "CONTINUE  'and goes on &' / two",
    "CONTINUE  '&'",
    "CONTINUE  'to the end'",
    "HIERARCH ESO DET CHIP1 = 'CCD-44' / name",
    "D1      =              1.5D+03 / Fortran",
    "POINT   =                   5.",
    "HALF    =.5",
    "TAI     = 'unclosed",
    "COMMENT = 'not a value'",
    "AMPER   = 'no continuation &'",
    "SIZE    =           9223372036854775808",
    "NOVALUE =",
    "SLASH   = 'a / b'              / c",
  );
  assert.equal(header.get("LONG"), "This is 'long' and goes on to the end");
  assert.equal(header.comment("LONG"), "one two");
  assert.equal(header.get("ESO DET CHIP1"), "CCD-44");
  assert.deepEqual(["D1", "POINT", "HALF"].map((k) => header.get(k)), [1500, 5, 0.5]);
  assert.equal(header.get("TAI"), "'unclosed");
  assert.equal(header.get("COMMENT"), undefined);
  assert.equal(header.get("AMPER"), "no continuation &");
  assert.equal(header.get("SIZE"), 9223372036854775808n);
  assert.equal(header.get("NOVALUE"), null);
  assert.deepEqual([header.get("SLASH"), header.comment("SLASH")], ["a / b", "c"]);
});

Deno.test("long and lower-case keywords use HIERARCH", () => {
  const header = new Header().set("TOOLONGKEYWORD", 12).set("ESO INS", "x");
  assert.match(new TextDecoder().decode(header.toBytes()), /^HIERARCH TOOLONGKEYWORD = 12/);
  assert.deepEqual(roundTrip(header).get("toolongkeyword"), 12);
  assert.throws(() => new Header().set("TOOLONGKEYWORD", "v".repeat(80)).toBytes(), RangeError);
});

Deno.test("a whole real number keeps its decimal point, one that is not finite has no value", () => {
  const header = new Header().setReal("R", 3).set("N", NaN).set("E", 1e-7);
  const text = new TextDecoder().decode(header.toBytes());
  assert.match(text, /R {7}= {18}3\.0 /);
  assert.match(text, /1\.0E-7/);
  assert.equal(roundTrip(header).get("N"), null);
  assert.equal(roundTrip(header).cards[0].real, true);
});

Deno.test("a value of the wrong type names file, keyword and value", () => {
  const header = fromLines("N       = 'text'", "S       = 1", "H       = 1.5");
  assertInputError(() => header.number("N"), /x\.fits/, /N is text, expected a number/);
  assertInputError(() => header.string("S"), /expected a string/);
  assertInputError(() => header.integer("H"), /whole number/);
  assertInputError(() => header.boolean("H"), /T or F/);
  assert.equal(header.number("ABSENT"), undefined);
});
