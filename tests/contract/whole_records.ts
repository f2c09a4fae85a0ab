/** What a journal holds that a kill cannot take: its whole records. */
import { existsSync, readFileSync } from "node:fs";

/** Bytes of a journal without records, and of what stands before a record. */
const EMPTY_JOURNAL = 76;
const PREFIX = 8;

/**
 * A journal that is being written holds a whole record. Its size alone does not tell: a process can be killed between
 * two halves of one write.
 */
function holdsWholeRecord(path: string): boolean {
  if (!existsSync(path)) return false;
  const bytes = readFileSync(path);
  if (bytes.length < EMPTY_JOURNAL + PREFIX) return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(EMPTY_JOURNAL, true);
  return length > 0 && bytes.length >= EMPTY_JOURNAL + PREFIX + length;
}

/** Waits until a journal holds a whole record, for a minute at most. */
export async function wholeRecord(path: string): Promise<void> {
  for (let i = 0; i < 60_000 && !holdsWholeRecord(path); i++) {
    await new Promise((next) => setTimeout(next, 1));
  }
}
