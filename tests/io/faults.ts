import assert from "node:assert/strict";
import { InputError } from "../../core/io/input_error.ts";

/** Asserts that a function throws an InputError of one line that matches every pattern. */
export function assertInputError(fn: () => unknown, ...patterns: RegExp[]): void {
  assert.throws(fn, (error: unknown) => {
    assert.ok(error instanceof InputError, `expected an InputError, got ${String(error)}`);
    assert.ok(!error.message.includes("\n"), "the message is one line");
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}
