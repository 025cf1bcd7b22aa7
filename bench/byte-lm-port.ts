import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { readNumber } from '../src/engine/proposers/search/literal.ts';
import { ByteCounts, nameContexts } from './byte-counts.ts';
import { pythonShuffle } from './python-random.ts';

/** The texts on which byte-lm trains and is measured. */
export type ByteLmData = { readonly text: Uint8Array; readonly passages: readonly Uint8Array[] };

/** As in the sample's `prepare.py`. */
const LOOKUP_BUDGET = 10_000_000;
const CONTEXT_BYTES = 1024;
const SUM_TOLERANCE = 1e-6;
/** As in its `train.py`, which does not make these constants. */
const SAMPLED_EVERY = 1024;
const MOST_LOSS = 100;

type Settings = {
  readonly order: number;
  readonly isExclusive: boolean;
  readonly mostContexts: number;
  readonly chunkBytes: number;
  readonly chunksPerStep: number;
  readonly seed: number;
  readonly discount: number;
  readonly strength: number;
  readonly floor: number;
  readonly cacheWindow: number;
  readonly cacheMatch: number;
  readonly cacheWeight: number;
};

/**
 * The score that the `train.py` of the sample byte-lm prints, several times faster than in Python: the same
 * calculation, for sources that differ from the sample's only in constants. Null if the training fails.
 */
export function trainByteLm(source: string, data: ByteLmData): number | null {
  const settings = readSettings(source);
  if (settings.chunkBytes < 1 || settings.chunksPerStep < 1) return null;
  const counts = learn(settings, data.text);
  return counts && evaluate(settings, counts, data.passages);
}

function readSettings(source: string): Settings {
  const literals = new Map(
    findConstants('train.py', source).map(({ name, literal }) => [name, literal] as const),
  );
  const number = (name: string) => {
    const literal = literals.get(name);
    const value = literal ? readNumber(literal) : null;
    if (value === null) throw new Error(`byte-lm has no number ${name}.`);
    return value;
  };
  const exclusion = literals.get('UPDATE_EXCLUSION');
  return {
    ...{ order: number('ORDER'), isExclusive: exclusion?.kind === 'boolean' && exclusion.value },
    ...{ mostContexts: number('MAX_CONTEXTS'), chunkBytes: number('CHUNK_BYTES') },
    ...{ chunksPerStep: number('CHUNKS_PER_STEP'), seed: Number(/^SEED = (\d+)/m.exec(source)?.[1]) },
    ...{ discount: number('DISCOUNT'), strength: number('STRENGTH'), floor: number('FLOOR') },
    ...{ cacheWindow: number('CACHE_WINDOW'), cacheMatch: number('CACHE_MATCH') },
    cacheWeight: number('CACHE_WEIGHT'),
  };
}

/** The counts once the look-ups are used up; null if the loss of a step is too high to continue. */
function learn(settings: Settings, text: Uint8Array): ByteCounts | null {
  const { order, isExclusive, chunkBytes, chunksPerStep } = settings;
  const counts = new ByteCounts(settings.mostContexts);
  const predict = predictor(settings, counts);
  const [low, high] = [new Int32Array(order + 1), new Int32Array(order + 1)];
  const countChunk = (from: number, to: number, budget: number) => {
    let spent = 0;
    for (let at = from; at < to; at += 1) {
      if (spent + order >= budget) return { spent, isOver: true };
      nameContexts(text, at, order, low, high);
      for (let length = order; length >= 0; length -= 1) {
        spent += 1;
        const wasKnown = counts.count(low[length] ?? 0, high[length] ?? 0, text[at] ?? 0);
        if (wasKnown && isExclusive) break;
      }
    }
    return { spent, isOver: false };
  };
  const chunks = Int32Array.from(
    { length: Math.ceil((text.length - order) / chunkBytes) },
    (_, place) => order + place * chunkBytes,
  );
  const shuffle = pythonShuffle(settings.seed);
  let left = LOOKUP_BUDGET;
  let loss: number | null = null;
  for (;;) {
    shuffle(chunks);
    for (let first = 0; first < chunks.length; first += chunksPerStep) {
      let [bits, samples, isOver] = [0, 0, false];
      for (const from of chunks.subarray(first, first + chunksPerStep)) {
        const to = Math.min(from + chunkBytes, text.length);
        for (let at = from; at < to; at += SAMPLED_EVERY, samples += 1) {
          const probability = predict(text, Math.max(0, at - CONTEXT_BYTES), at)[text[at] ?? 0] ?? 0;
          bits += probability > 0 ? -Math.log2(probability) : Number.POSITIVE_INFINITY;
        }
        const counted = countChunk(from, to, left);
        left -= counted.spent;
        isOver = counted.isOver;
        if (isOver) break;
      }
      const fresh = bits / samples;
      loss = loss === null ? fresh : 0.8 * loss + 0.2 * fresh;
      if (!(loss < MOST_LOSS)) return null;
      if (isOver) return counts;
    }
  }
}

/**
 * Bits per byte of the passages, to six digits; null if an answer is not a distribution, or gives the actual byte no
 * probability.
 */
function evaluate(settings: Settings, counts: ByteCounts, passages: readonly Uint8Array[]): number | null {
  const predict = predictor(settings, counts);
  let [bits, scored] = [0, 0];
  for (const passage of passages) {
    for (let at = CONTEXT_BYTES; at < passage.length; at += 1, scored += 1) {
      const probabilities = predict(passage, at - CONTEXT_BYTES, at);
      let [total, least] = [0, 1];
      for (const probability of probabilities) {
        total += probability;
        if (!(probability >= least)) least = probability;
      }
      const probability = probabilities[passage[at] ?? 0] ?? 0;
      if (!(least >= 0 && Math.abs(total - 1) <= SUM_TOLERANCE) || probability === 0) return null;
      bits -= Math.log2(probability);
    }
  }
  return Number((bits / scored).toFixed(6));
}

/** Predicts the byte at `at` from those since `from`. The answer is valid until the next call. */
function predictor(settings: Settings, counts: ByteCounts) {
  const { order, discount, strength, floor, cacheWeight } = settings;
  const [low, high] = [new Int32Array(order + 1), new Int32Array(order + 1)];
  const probabilities = new Float64Array(256);
  return (text: Uint8Array, from: number, at: number): Float64Array => {
    let left = 1 - floor;
    const recent = recentFollowers(settings, text.subarray(from, at));
    const recentScale = recent.length > 0 ? (left * cacheWeight) / recent.length : 0;
    if (recent.length > 0) left *= 1 - cacheWeight;
    const longest = Math.min(order, at - from);
    nameContexts(text, at, longest, low, high);
    const votes: { readonly context: number; readonly scale: number }[] = [];
    for (let length = longest; length >= 0; length -= 1) {
      const context = counts.find(low[length] ?? 0, high[length] ?? 0);
      if (context < 0) continue;
      const total = counts.total(context);
      votes.push({ context, scale: left / (total + strength) });
      left *= (strength + discount * counts.kinds(context)) / (total + strength);
    }
    probabilities.fill((left + floor) / 256);
    for (const byte of recent) probabilities[byte] = (probabilities[byte] ?? 0) + recentScale;
    for (const { context, scale } of votes) counts.vote(context, discount, scale, probabilities);
    return probabilities;
  };
}

/** The bytes that followed earlier occurrences of the latest bytes. */
function recentFollowers({ cacheWindow, cacheMatch }: Settings, context: Uint8Array): readonly number[] {
  const window = context.slice(-cacheWindow);
  const latest = window.slice(-cacheMatch);
  const found: number[] = [];
  for (let at = 0; at + latest.length < window.length; at += 1) {
    let length = 0;
    while (length < latest.length && window[at + length] === latest[length]) length += 1;
    if (length === latest.length) found.push(window[at + latest.length] ?? 0);
  }
  return found;
}
