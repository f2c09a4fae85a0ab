/**
 * Value of an integer expression over named sizes: + − * / ( ), names, whole numbers.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(evaluate("K*(K+1)/2", { K: 10 }), 55);
 * ```
 */
export function evaluate(expression: string, sizes: Readonly<Record<string, number>>): number {
  const tokens = expression.match(/[A-Za-z_]\w*|\d+|[-+*/()]/g) ?? [];
  let at = 0;

  const factor = (): number => {
    const token = tokens[at++];
    if (token === "(") {
      const value = sum();
      if (tokens[at++] !== ")") throw new SyntaxError(`unbalanced parenthesis in "${expression}"`);
      return value;
    }
    if (token !== undefined && /^\d/.test(token)) return Number(token);
    const value = token === undefined ? undefined : sizes[token];
    if (value === undefined) throw new SyntaxError(`unknown size "${token}" in "${expression}"`);
    return value;
  };
  const product = (): number => {
    let value = factor();
    while (tokens[at] === "*" || tokens[at] === "/") {
      value = tokens[at++] === "*" ? value * factor() : Math.floor(value / factor());
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-") {
      value = tokens[at++] === "+" ? value + product() : value - product();
    }
    return value;
  };
  const value = sum();
  if (at !== tokens.length) throw new SyntaxError(`unexpected "${tokens[at]}" in "${expression}"`);
  return value;
}
