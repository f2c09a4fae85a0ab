/** The header of a FITS HDU: keywords in their order. */
import { CARD, type Card, type CardValue, parseCard, printCard } from "./fits_card.ts";
import { InputError } from "./input_error.ts";

export type { Card, CardValue } from "./fits_card.ts";

/** FITS files are made of blocks of this many bytes. */
export const BLOCK = 2880;

const LATIN1 = new TextDecoder("latin1");

export class Header {
  readonly #cards: Card[];
  readonly #places = new Map<string, number>();

  /**
   * @param cards - in order
   * @param where - file and HDU, for error messages
   */
  constructor(cards: Iterable<Card> = [], readonly where: string = "FITS header") {
    this.#cards = [...cards];
    this.#index();
  }

  /** Every card, in order. Long strings are one card. */
  get cards(): readonly Card[] {
    return this.#cards;
  }

  /** Keywords that have a value, in order. */
  get keys(): string[] {
    return [...this.#places.keys()];
  }

  has(key: string): boolean {
    return this.#places.has(key.toUpperCase());
  }

  /** Value of a keyword (any case); undefined where the header has no such keyword, null where it has no value. */
  get(key: string): CardValue | undefined {
    return this.#find(key)?.value;
  }

  /** Comment of a keyword, "" where there is none. */
  comment(key: string): string {
    return this.#find(key)?.comment ?? "";
  }

  /** A string value; undefined where absent. @throws InputError where it is not a string */
  string(key: string): string | undefined {
    return this.#typed(key, "a string", (v) => typeof v === "string" ? v : undefined);
  }

  /** A number, integers rounded to 2^53; undefined where absent. @throws InputError where it is not a number */
  number(key: string): number | undefined {
    return this.#typed(key, "a number", (v) => {
      if (typeof v === "bigint") return Number(v);
      return typeof v === "number" ? v : undefined;
    });
  }

  /** A whole number below 2^53; undefined where absent. @throws InputError where it is not one */
  integer(key: string): number | undefined {
    return this.#typed(key, "a whole number", (v) => Number.isSafeInteger(v) ? v as number : undefined);
  }

  /** A logical value; undefined where absent. @throws InputError where it is not T or F */
  boolean(key: string): boolean | undefined {
    return this.#typed(key, "T or F", (v) => typeof v === "boolean" ? v : undefined);
  }

  /** Sets a keyword in its place, or adds it at the end. The comment is kept where none is given. */
  set(key: string, value: CardValue, comment?: string): this {
    return this.#put({ key: key.toUpperCase(), value, comment: comment ?? this.comment(key) });
  }

  /** As {@link set}, for a real number: printed with a decimal point even where it is whole. */
  setReal(key: string, value: number, comment?: string): this {
    return this.#put({ key: key.toUpperCase(), value, comment: comment ?? this.comment(key), real: true });
  }

  /** Adds a commentary card: COMMENT, HISTORY or blank. */
  addCommentary(key: "COMMENT" | "HISTORY" | "", text: string): this {
    this.#cards.push({ key, value: undefined, comment: text });
    return this;
  }

  /** Texts of the commentary cards of one kind. */
  commentary(key: "COMMENT" | "HISTORY" | ""): string[] {
    return this.#cards.filter((card) => card.value === undefined && card.key === key)
      .map((card) => card.comment);
  }

  delete(key: string): boolean {
    const place = this.#places.get(key.toUpperCase());
    if (place === undefined) return false;
    this.#cards.splice(place, 1);
    this.#index();
    return true;
  }

  copy(): Header {
    return new Header(this.#cards, this.where);
  }

  /** The header as bytes: cards, END, padded to whole blocks. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const lines = this.#cards.flatMap(printCard);
    const text = lines.join("") + "END".padEnd(CARD);
    const bytes = new Uint8Array(Math.ceil(text.length / BLOCK) * BLOCK).fill(0x20);
    new TextEncoder().encodeInto(text, bytes);
    return bytes;
  }

  /**
   * Parses a header.
   *
   * @param bytes - whole cards; what follows END is ignored
   * @param where - file and HDU, for error messages
   */
  static parse(bytes: Uint8Array, where: string): Header {
    const cards: Card[] = [];
    let continues = false;
    for (let at = 0; at + CARD <= bytes.byteLength; at += CARD) {
      const { continues: goesOn, ...card } = parseCard(LATIN1.decode(bytes.subarray(at, at + CARD)));
      if (card.key === "END" && card.value === undefined) break;
      if (card.key === "CONTINUE" && continues && typeof card.value === "string") {
        const last = cards.pop()!;
        const comment = [last.comment, card.comment].filter((part) => part !== "").join(" ");
        cards.push({ key: last.key, value: (last.value as string).slice(0, -1) + card.value, comment });
      } else {
        cards.push(card);
      }
      continues = goesOn;
    }
    return new Header(cards, where);
  }

  #index(): void {
    this.#places.clear();
    this.#cards.forEach((card, i) => {
      const key = card.key.toUpperCase();
      if (card.value !== undefined && !this.#places.has(key)) this.#places.set(key, i);
    });
  }

  #find(key: string): Card | undefined {
    const place = this.#places.get(key.toUpperCase());
    return place === undefined ? undefined : this.#cards[place];
  }

  #put(card: Card): this {
    const place = this.#places.get(card.key);
    if (place !== undefined) this.#cards[place] = card;
    else this.#places.set(card.key, this.#cards.push(card) - 1);
    return this;
  }

  #typed<T>(key: string, expected: string, convert: (value: CardValue) => T | undefined): T | undefined {
    const value = this.get(key);
    if (value === undefined || value === null) return undefined;
    const typed = convert(value);
    if (typed !== undefined) return typed;
    throw new InputError(`${this.where}: keyword ${key} is ${String(value)}, expected ${expected}`);
  }
}
