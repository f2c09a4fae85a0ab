/** What makes a run the same run: everything that changes an answer, as text to be hashed. */

/** JSON with keys in order: equal values give equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
