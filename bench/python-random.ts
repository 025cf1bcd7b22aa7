/** Words in the generator's state, and the distance between two that are mixed. */
const WORDS = 624;
const APART = 397;

/**
 * The same order as Python's `random.Random(seed).shuffle`. Mersenne Twister: Matsumoto and Nishimura, 1998; the seed
 * as for `init_by_array` with one word.
 * @param seed an integer, 0 or more, below 2^32
 */
export function pythonShuffle(seed: number): (items: Int32Array) => void {
  const next = twister(seed);
  return items => {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const bits = 32 - Math.clz32(last + 1);
      let other = next() >>> (32 - bits);
      while (other > last) other = next() >>> (32 - bits);
      const item = items[last] ?? 0;
      items[last] = items[other] ?? 0;
      items[other] = item;
    }
  };
}

function twister(seed: number): () => number {
  const state = seededState(seed);
  const word = (place: number) => state[place % WORDS] ?? 0;
  let at = WORDS;
  const renew = () => {
    for (let place = 0; place < WORDS; place += 1) {
      const joined = (word(place) & 0x80000000) | (word(place + 1) & 0x7fffffff);
      state[place] = word(place + APART) ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return () => {
    if (at === WORDS) renew();
    let mixed = word(at);
    at += 1;
    mixed ^= mixed >>> 11;
    mixed ^= (mixed << 7) & 0x9d2c5680;
    mixed ^= (mixed << 15) & 0xefc60000;
    return (mixed ^ (mixed >>> 18)) >>> 0;
  };
}

function seededState(seed: number): Uint32Array {
  const state = new Uint32Array(WORDS);
  state[0] = 19650218;
  for (let place = 1; place < WORDS; place += 1)
    state[place] = Math.imul(1812433253, scrambled(state, place)) + place;
  let place = 1;
  const advance = () => {
    place += 1;
    if (place < WORDS) return;
    state[0] = state[WORDS - 1] ?? 0;
    place = 1;
  };
  for (let round = 0; round < WORDS; round += 1, advance())
    state[place] = ((state[place] ?? 0) ^ Math.imul(scrambled(state, place), 1664525)) + seed;
  for (let round = 1; round < WORDS; round += 1, advance())
    state[place] = ((state[place] ?? 0) ^ Math.imul(scrambled(state, place), 1566083941)) - place;
  state[0] = 0x80000000;
  return state;
}

function scrambled(state: Uint32Array, place: number): number {
  const before = state[place - 1] ?? 0;
  return before ^ (before >>> 30);
}
