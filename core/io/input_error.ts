/**
 * A fault of the user's input or usage, told in one sentence: which file, which HDU, column or row, what was expected,
 * what to do. The command line prints the message alone and exits 2.
 */
export class InputError extends Error {
  override readonly name = "InputError";
}
