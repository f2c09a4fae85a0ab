/** One keyword record ("card") of a FITS header: parsing and printing. FITS standard 4.0, section 4. */

/** Value of a keyword; null where the card has none. Integers outside ±2^53 are bigint. */
export type CardValue = string | number | bigint | boolean | null;

/** A keyword with its value, or commentary (COMMENT, HISTORY, blank) whose text is in `comment`. */
export interface Card {
  readonly key: string;
  /** undefined for commentary cards. */
  readonly value: CardValue | undefined;
  readonly comment: string;
  /** The number is a real one: printed with a decimal point even where it is whole. */
  readonly real?: boolean;
}

/** Bytes of one card. */
export const CARD = 80;

const INTEGER = /^[+-]?\d+$/;
const REAL = /^[+-]?(\d+\.?\d*|\.\d+)([EDed][+-]?\d+)?$/;
const QUOTED = /^\s*'((?:[^']|'')*)'\s*(?:\/(.*))?$/;

/** A parsed card; `continues` where the string ends with the mark of a long string. */
export interface ParsedCard extends Card {
  readonly continues: boolean;
}

/**
 * Parses the 80 characters of a card. Text that is no legal value is kept as a string: old files have such cards.
 */
export function parseCard(text: string): ParsedCard {
  const key = text.slice(0, 8).trimEnd();
  if (key === "HIERARCH" && text.includes("=")) {
    const at = text.indexOf("=");
    return parseValue(text.slice(9, at).trim(), text.slice(at + 1));
  }
  if (key === "CONTINUE") return parseValue(key, text.slice(8));
  if (text[8] === "=" && key !== "COMMENT" && key !== "HISTORY" && key !== "") {
    return parseValue(key, text.slice(9));
  }
  return { key, value: undefined, comment: text.slice(8).trimEnd(), continues: false };
}

function parseValue(key: string, text: string): ParsedCard {
  const quoted = QUOTED.exec(text);
  if (quoted !== null) {
    const value = quoted[1].replaceAll("''", "'").trimEnd();
    return { key, value, comment: (quoted[2] ?? "").trim(), continues: value.endsWith("&") };
  }
  const slash = text.indexOf("/");
  const word = (slash < 0 ? text : text.slice(0, slash)).trim();
  const comment = slash < 0 ? "" : text.slice(slash + 1).trim();
  return { key, ...parseWord(word), comment, continues: false };
}

function parseWord(word: string): { value: CardValue; real?: boolean } {
  if (word === "") return { value: null };
  if (word === "T") return { value: true };
  if (word === "F") return { value: false };
  if (INTEGER.test(word)) {
    const n = Number(word);
    return { value: Number.isSafeInteger(n) ? n : BigInt(word) };
  }
  if (REAL.test(word)) return { value: Number(word.replace(/[Dd]/, "E")), real: true };
  return { value: word };
}

/**
 * Prints a card as one or more records of 80 characters: strings that do not fit go on in CONTINUE records, keywords
 * longer than 8 characters or with other characters than A-Z, 0-9, `-`, `_` use HIERARCH. Characters that FITS cannot
 * hold become `?`, comments are cut to what fits, numbers that are not finite have no value.
 *
 * @throws RangeError where a HIERARCH card cannot hold its value
 */
export function printCard(card: Card): string[] {
  if (card.value === undefined) return printCommentary(card);
  const plain = /^[A-Z0-9_-]{1,8}$/.test(card.key);
  const start = plain ? `${card.key.padEnd(8)}= ` : `HIERARCH ${printable(card.key)} = `;
  const comment = printable(card.comment);
  if (typeof card.value === "string") {
    const value = printable(card.value);
    const pieces = splitQuoted(value, CARD - start.length - 2);
    if (pieces.length === 1) return [fit(start + `'${pieces[0].padEnd(8)}'`.padEnd(20), comment)];
    if (plain) return printLong(start, pieces, comment);
    throw new RangeError(
      `FITS keyword ${card.key} is too long for its value: use one of at most 8 characters`,
    );
  }
  const word = printWord(card.value, card.real === true);
  if (start.length + word.length > CARD) {
    throw new RangeError(
      `FITS keyword ${card.key} is too long for its value: use one of at most 8 characters`,
    );
  }
  return [fit(start + (plain ? word.padStart(20) : word), comment)];
}

function printCommentary(card: Card): string[] {
  const text = printable(card.comment);
  const lines: string[] = [];
  for (let i = 0; i === 0 || i < text.length; i += CARD - 8) {
    lines.push((card.key.padEnd(8) + text.slice(i, i + CARD - 8)).padEnd(CARD));
  }
  return lines;
}

function printLong(start: string, pieces: string[], comment: string): string[] {
  return pieces.map((piece, i) => {
    const head = i === 0 ? start : "CONTINUE  ";
    return i + 1 < pieces.length ? `${head}'${piece}&'`.padEnd(CARD) : fit(`${head}'${piece}'`, comment);
  });
}

/** Escaped pieces of a string: one of at most `room` characters, or several of at most 67 that leave room for `&`. */
function splitQuoted(value: string, room: number): string[] {
  const whole = value.replaceAll("'", "''");
  // A string that ends with & would be taken for one that goes on.
  if (whole.length <= room && !value.endsWith("&")) return [whole];
  const pieces: string[] = [];
  let piece = "";
  for (const char of value) {
    const escaped = char === "'" ? "''" : char;
    if (piece.length + escaped.length > 67) {
      pieces.push(piece);
      piece = "";
    }
    piece += escaped;
  }
  pieces.push(piece);
  if (value.endsWith("&")) pieces.push("");
  return pieces;
}

function printWord(value: number | bigint | boolean | null, real: boolean): string {
  if (typeof value === "boolean") return value ? "T" : "F";
  if (typeof value === "bigint") return value.toString();
  if (value === null || !Number.isFinite(value)) return "";
  const word = String(value).toUpperCase();
  if (!real && Number.isSafeInteger(value) && !word.includes("E")) return Object.is(value, -0) ? "0" : word;
  const [mantissa, exponent] = word.split("E");
  const pointed = mantissa.includes(".") ? mantissa : `${mantissa}.0`;
  return exponent === undefined ? pointed : `${pointed}E${exponent}`;
}

function fit(text: string, comment: string): string {
  const full = comment === "" ? text : `${text} / ${comment}`;
  return full.slice(0, Math.max(CARD, text.length)).padEnd(CARD);
}

function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}
