/** Hashes a context's bytes from last to first into two 32-bit numbers, so that no two contexts of a training collide. */
const SPREAD = [0x9e3779b1, 0x85ebca77] as const;
const FIRST_SIZE = 2 ** 16;

/**
 * How often each byte followed each context: the content of byte-lm's `Model.followers`, in arrays of numbers. A
 * context is identified by the order in which it first appeared.
 */
export class ByteCounts {
  readonly #most: number;
  #contexts = 0;
  #pairs = 0;
  /** By context. */
  #low = new Int32Array(FIRST_SIZE);
  #high = new Int32Array(FIRST_SIZE);
  #newest = new Int32Array(FIRST_SIZE);
  #totals = new Int32Array(FIRST_SIZE);
  #kinds = new Int32Array(FIRST_SIZE);
  /** By pair of a context and a byte: the pair's key, its count, and the previous pair of the same context. */
  #keys = new Int32Array(FIRST_SIZE);
  #counts = new Int32Array(FIRST_SIZE);
  #older = new Int32Array(FIRST_SIZE);
  /** Open addressing: 1 + place; 0 in an empty slot. */
  #contextSlots = new Int32Array(2 * FIRST_SIZE);
  #pairSlots = new Int32Array(2 * FIRST_SIZE);

  /** @param most the largest number of contexts; further ones are not counted */
  constructor(most: number) {
    this.#most = most;
  }

  /** The place of the context with these two numbers; -1 if it was never counted. */
  find(low: number, high: number): number {
    return (this.#contextSlots[this.#contextSlot(low, high)] ?? 0) - 1;
  }

  /** Counts a byte after a context. True if that byte had followed the context before. */
  count(low: number, high: number, byte: number): boolean {
    const slot = this.#contextSlot(low, high);
    let context = (this.#contextSlots[slot] ?? 0) - 1;
    if (context < 0) {
      if (this.#contexts >= this.#most) return false;
      context = this.#addContext(slot, low, high);
    }
    this.#totals[context] = (this.#totals[context] ?? 0) + 1;
    const key = (context << 8) | byte;
    const pairSlot = this.#pairSlot(key);
    const pair = (this.#pairSlots[pairSlot] ?? 0) - 1;
    if (pair < 0) this.#addPair(pairSlot, context, key);
    else this.#counts[pair] = (this.#counts[pair] ?? 0) + 1;
    return pair >= 0;
  }

  total(context: number): number {
    return this.#totals[context] ?? 0;
  }

  /** How many different bytes followed it. */
  kinds(context: number): number {
    return this.#kinds[context] ?? 0;
  }

  /** Adds (count - discount) * scale for each byte that followed a context. */
  vote(context: number, discount: number, scale: number, probabilities: Float64Array): void {
    for (let pair = (this.#newest[context] ?? 0) - 1; pair >= 0; pair = (this.#older[pair] ?? 0) - 1) {
      const byte = (this.#keys[pair] ?? 0) & 0xff;
      probabilities[byte] = (probabilities[byte] ?? 0) + ((this.#counts[pair] ?? 0) - discount) * scale;
    }
  }

  #contextSlot(low: number, high: number): number {
    const mask = this.#contextSlots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const context = (this.#contextSlots[slot] ?? 0) - 1;
      if (context < 0 || (this.#low[context] === low && this.#high[context] === high)) return slot;
    }
  }

  #pairSlot(key: number): number {
    const mask = this.#pairSlots.length - 1;
    const mixed = Math.imul(key, SPREAD[0]);
    for (let slot = (mixed ^ (mixed >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const pair = (this.#pairSlots[slot] ?? 0) - 1;
      if (pair < 0 || this.#keys[pair] === key) return slot;
    }
  }

  #addContext(slot: number, low: number, high: number): number {
    const context = this.#contexts;
    this.#contexts += 1;
    this.#low[context] = low;
    this.#high[context] = high;
    this.#contextSlots[slot] = context + 1;
    if (this.#contexts === this.#low.length) this.#growContexts();
    return context;
  }

  #addPair(slot: number, context: number, key: number): void {
    const pair = this.#pairs;
    this.#pairs += 1;
    this.#keys[pair] = key;
    this.#counts[pair] = 1;
    this.#older[pair] = this.#newest[context] ?? 0;
    this.#newest[context] = pair + 1;
    this.#kinds[context] = (this.#kinds[context] ?? 0) + 1;
    this.#pairSlots[slot] = pair + 1;
    if (this.#pairs === this.#keys.length) this.#growPairs();
  }

  #growContexts(): void {
    [this.#low, this.#high, this.#newest] = [twice(this.#low), twice(this.#high), twice(this.#newest)];
    [this.#totals, this.#kinds] = [twice(this.#totals), twice(this.#kinds)];
    this.#contextSlots = new Int32Array(2 * this.#low.length);
    for (let context = 0; context < this.#contexts; context += 1)
      this.#contextSlots[this.#contextSlot(this.#low[context] ?? 0, this.#high[context] ?? 0)] = context + 1;
  }

  #growPairs(): void {
    [this.#keys, this.#counts, this.#older] = [twice(this.#keys), twice(this.#counts), twice(this.#older)];
    this.#pairSlots = new Int32Array(2 * this.#keys.length);
    for (let pair = 0; pair < this.#pairs; pair += 1)
      this.#pairSlots[this.#pairSlot(this.#keys[pair] ?? 0)] = pair + 1;
  }
}

/** Writes the two numbers of each context that ends before `at`, from the empty one to that of `order` bytes. */
export function nameContexts(
  text: Uint8Array,
  at: number,
  order: number,
  low: Int32Array,
  high: Int32Array,
): void {
  let [first, second] = [1, 2];
  low[0] = first;
  high[0] = second;
  for (let length = 1; length <= order; length += 1) {
    const byte = (text[at - length] ?? 0) + 1;
    first = Math.imul(first ^ byte, SPREAD[0]);
    first ^= first >>> 15;
    second = Math.imul(second + byte, SPREAD[1]);
    second ^= second >>> 13;
    low[length] = first;
    high[length] = second;
  }
}

function twice(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
