/** Arena over device memory: slabs one behind the other, given back to a mark, so that a batch leaves nothing behind. */

/** Where slabs come from. */
export interface SlabSource {
  allocate(bytes: number): bigint;
  free(address: bigint): void;
}

interface Slab {
  readonly address: bigint;
  readonly bytes: number;
  /** Position of its first byte in the arena. */
  readonly start: number;
}

/** Suits v128 of the emulation and coalesced access. */
const ALIGN = 256;

export class Pool {
  readonly #source: SlabSource;
  readonly #least: number;
  readonly #slabs: Slab[] = [];
  #position = 0;
  #peak = 0;

  /**
   * @param least - smallest slab, bytes; 0: every allocation is a slab of its own, exactly as large as asked for, and is
   * given back at once, so that a sanitizer sees what reads beyond it
   */
  constructor(source: SlabSource, least: number) {
    this.#source = source;
    this.#least = least;
  }

  allocate(bytes: number): bigint {
    const size = this.#least === 0 ? Math.max(bytes, 1) : Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
    let index = this.#slabs.findLastIndex((slab) => slab.start <= this.#position);
    const current = this.#slabs[index];
    if (current === undefined || this.#position + size > current.start + current.bytes) {
      // the rest of the slab is left; the next one serves if it is large enough, else it makes room
      index++;
      const next = this.#slabs[index];
      if (next === undefined || next.bytes < size) {
        this.#drop(index);
        const start = current === undefined ? 0 : current.start + current.bytes;
        this.#grow(size, start);
      }
      this.#position = this.#slabs[index]!.start;
    }
    const slab = this.#slabs[index]!;
    const address = slab.address + BigInt(this.#position - slab.start);
    this.#position += size;
    this.#peak = Math.max(this.#peak, this.#position);
    return address;
  }

  get position(): number {
    return this.#position;
  }

  get peak(): number {
    return this.#peak;
  }

  /** Bytes in slabs, used or not. */
  get held(): number {
    return this.#slabs.reduce((n, slab) => n + slab.bytes, 0);
  }

  /** Bytes that the slabs still have behind the position. */
  get left(): number {
    return this.#slabs.reduce(
      (n, slab) => n + Math.max(0, slab.start + slab.bytes - Math.max(slab.start, this.#position)),
      0,
    );
  }

  release(position: number): void {
    this.#position = position;
    if (this.#least === 0) this.#drop(this.#slabs.findIndex((slab) => slab.start >= position));
  }

  /** Gives every slab from this one on back to the device. */
  #drop(from: number): void {
    if (from < 0) return;
    for (const slab of this.#slabs.splice(from).reverse()) this.#source.free(slab.address);
  }

  #grow(size: number, start: number): void {
    const wanted = this.#least === 0 ? size : Math.max(size, this.#least);
    let address: bigint, bytes = wanted;
    try {
      address = this.#source.allocate(wanted);
    } catch (error) {
      if (!(error instanceof RangeError) || wanted === size) throw error;
      address = this.#source.allocate(size);
      bytes = size;
    }
    this.#slabs.push({ address, bytes, start });
  }

  /** Gives everything back. */
  clear(): void {
    this.#drop(0);
    this.#position = 0;
  }
}
