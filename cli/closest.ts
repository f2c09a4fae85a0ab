/** "Did you mean": the known word nearest to a mistyped one. */

/** Edit distance where a swap of neighbours counts one (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        above[j] + 1,
        row[j - 1] + 1,
        above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1),
        swap ? before[j - 2] + 1 : Infinity,
      );
    }
    before = above;
    above = row;
  }
  return above[b.length];
}

/** The known word nearest to `word`, ignoring case, or null when none is near: at most two edits and half its letters. */
export function closest(word: string, known: readonly string[]): string | null {
  let best: string | null = null, least = Infinity;
  for (const candidate of known) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < least) [best, least] = [candidate, d];
  }
  return best !== null && least <= Math.min(2, Math.ceil(word.length / 2)) ? best : null;
}
