"""Train a byte-level language model with LOOKUP_BUDGET look-ups, then print its score.

The model counts which byte followed which context, for contexts of up to ORDER bytes,
and mixes what the long contexts say with what the short ones say. Text that is close
by, in the last CACHE_WINDOW bytes, has a say as well.

Everything in this file may change. Usage: python3 train.py
"""

import marshal
import math
import os
import random
import sys
import time

from prepare import CONTEXT_BYTES, Budget, evaluate_bpb, load_training_text, peak_rss_mb

# Training
ORDER = 3                 # bytes in the longest context that is counted
UPDATE_EXCLUSION = False  # count a byte only down to the longest context that knows it already
MAX_CONTEXTS = 30_000     # contexts kept; when they are all in use, no new one is added
CHUNK_BYTES = 2**12       # bytes read in a row
CHUNKS_PER_STEP = 32      # chunks between one progress line and the next
SEED = 42                 # the order in which the chunks are read
if os.environ.get("BYTE_LM_SEED") == "random":
    SEED = None           # another order in every run: for measuring how much of a score is luck

# Mixing the orders
DISCOUNT = 0.5            # taken off every count and given to the shorter contexts
STRENGTH = 20.0           # how many sightings a context needs to count as much as the shorter ones
FLOOR = 0.1               # share of the prediction that is spread over all bytes alike

# Repeating what is near
CACHE_WINDOW = 128        # recent bytes searched for an earlier occurrence of the latest ones
CACHE_MATCH = 8           # how many of the latest bytes have to occur again
CACHE_WEIGHT = 0.1        # share of the prediction given to what followed there

COUNTS = "model.bin"      # what the training leaves for the scorer's model


class Model:
    """Counts of the bytes that followed each context."""

    def __init__(self):
        self.followers = {}  # context (bytes) -> {next byte: count}

    def learn(self, text, chunk, budget):
        """Count the bytes of a chunk, each after its contexts from the longest to the empty one.

        Returns how many it counted: fewer than there are only where the budget does not reach further.
        """
        followers_of = self.followers
        learned, spent = 0, 0
        for at in chunk:
            if spent + ORDER >= budget.left:  # the next byte may need ORDER + 1 look-ups
                break
            learned += 1
            byte = text[at]
            for order in range(ORDER, -1, -1):
                spent += 1
                context = text[at - order:at]
                followers = followers_of.get(context)
                if followers is None:
                    if len(followers_of) < MAX_CONTEXTS:
                        followers_of[context] = {byte: 1}
                elif byte not in followers:
                    followers[byte] = 1
                else:
                    followers[byte] += 1
                    if UPDATE_EXCLUSION:
                        break
        budget.spend(spent)
        return learned

    def predict(self, context):
        """Return the probability of each value of the byte that follows `context`."""
        # Each voter takes its share of what is left; what nobody takes goes to all bytes alike.
        left = 1 - FLOOR
        votes = []
        recent = recent_followers(context)
        if recent:
            votes.append((recent, 0, left * CACHE_WEIGHT / sum(recent.values())))
            left *= 1 - CACHE_WEIGHT
        for order in range(min(ORDER, len(context)), -1, -1):
            followers = self.followers.get(context[len(context) - order:])
            if followers is None:
                continue
            total = sum(followers.values())
            votes.append((followers, DISCOUNT, left / (total + STRENGTH)))
            left *= (STRENGTH + DISCOUNT * len(followers)) / (total + STRENGTH)
        probabilities = [(left + FLOOR) / 256] * 256
        for followers, discount, scale in votes:
            for byte, count in followers.items():
                probabilities[byte] += (count - discount) * scale
        return probabilities

    def size(self):
        return sum(map(len, self.followers.values()))


def recent_followers(context):
    """Count what followed the earlier occurrences of the latest CACHE_MATCH bytes."""
    window = context[-CACHE_WINDOW:]
    latest = window[-CACHE_MATCH:]
    counts = {}
    last = len(window) - 1  # a match must end before the last byte, or nothing follows it
    at = window.find(latest, 0, last)
    while 0 <= at < last:
        byte = window[at + len(latest)]
        counts[byte] = counts.get(byte, 0) + 1
        at = window.find(latest, at + 1, last)
    return counts


def sampled_bits(model, text, chunk):
    """Return the bits that each of a few bytes of a chunk costs before the model has learned it."""
    bits = []
    for at in chunk[::1024]:  # a prediction takes many times longer than a count
        probability = model.predict(text[max(0, at - CONTEXT_BYTES):at])[text[at]]
        bits.append(-math.log2(probability) if probability > 0 else math.inf)
    return bits


def batches(text):
    """Yield (epoch, chunks) for ever: ranges of positions in the text, in a new order each epoch."""
    # The first ORDER bytes only serve as context, so every byte learned has a full one.
    # Chunks are small and scattered, so every step sees a fair sample of the text.
    chunks = [range(at, min(at + CHUNK_BYTES, len(text))) for at in range(ORDER, len(text), CHUNK_BYTES)]
    shuffle = random.Random(SEED).shuffle
    epoch = 0
    while True:
        epoch += 1
        shuffle(chunks)
        for first in range(0, len(chunks), CHUNKS_PER_STEP):
            yield epoch, chunks[first:first + CHUNKS_PER_STEP]


def train(model, text):
    """Learn batch after batch until the budget is spent; return steps, bytes learned and seconds."""
    learned, loss = 0, None
    budget = Budget()
    now = 0.0
    for step, (epoch, batch) in enumerate(batches(text)):
        before = now
        size, bits, is_over = 0, [], False
        for chunk in batch:
            bits += sampled_bits(model, text, chunk)
            counted = model.learn(text, chunk, budget)
            size += counted
            if counted < len(chunk) or budget.is_late():
                is_over = True
                break
        learned += size
        fresh = sum(bits) / len(bits)
        loss = fresh if loss is None else 0.8 * loss + 0.2 * fresh  # smoothed: a sample is small
        if not loss < 100:  # said this way round because NaN is not less than anything
            print("\nFAIL")
            sys.exit(1)
        now = budget.seconds()
        done = budget.share_spent()
        print(
            f"\rstep {step:05d} ({100 * done:.1f}%) | loss: {loss:.6f} | "
            f"dt: {1000 * (now - before):.0f}ms | tok/sec: {size / (now - before):,.0f} | "
            f"epoch: {epoch} | remaining: {now * (1 / done - 1):.0f}s    ",
            end="", flush=True,
        )
        if is_over:
            print()
            if budget.is_late():
                print("The clock ended training before the look-ups were spent: the score is not comparable.")
            return step + 1, learned, now


def main():
    began = time.perf_counter()
    text = load_training_text()
    model = Model()
    steps, learned, seconds = train(model, text)
    with open(COUNTS, "wb") as file:
        marshal.dump(model.followers, file)
    val_bpb = evaluate_bpb(model.predict)

    summary = {
        "val_bpb": f"{val_bpb:.6f}",
        "training_seconds": f"{seconds:.1f}",
        "total_seconds": f"{time.perf_counter() - began:.1f}",
        "total_tokens_M": f"{learned / 1e6:.1f}",
        "num_steps": steps,
        "num_params_M": f"{model.size() / 1e6:.2f}",
        "order": ORDER,
    }
    memory = peak_rss_mb()
    if memory is not None:  # a number that was not measured is left out
        summary["peak_rss_mb"] = f"{memory:.1f}"
    print("---")
    for name, value in summary.items():
        print(f"{name + ':':<18}{value}")


def serve():
    """Answer the scorer with what the training has left: contexts in, predictions out."""
    import pawl_score

    model = Model()
    with open(pawl_score.artifact(COUNTS), "rb") as file:
        model.followers = marshal.load(file)
    pawl_score.serve(lambda contexts: [model.predict(context) for context in contexts.rows()])


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
