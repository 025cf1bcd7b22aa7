"""Data, evaluation, budget and output format. Fixed: experiments may not change this file.

The data is the Python source code of the machine's own Python: nothing is downloaded. Tokens are bytes.
"""

import math
import os
import sys
import sysconfig
import time

# Seconds of training. Another budget is another task: change it here, commit, and begin a new study.
TIME_BUDGET = 60
VOCAB_SIZE = 256
# Of all there is; more than a minute can read.
MAX_BYTES = 24_000_000
# One file in this many is held out.
HELD_OUT = 20
EVAL_SEQUENCES = 128
EVAL_LENGTH = 256
# So many at a time; more would need more memory than the training.
EVAL_BATCH = 16


def files():
    """Paths of the standard library's sources, in an order that is the same every time."""
    root = sysconfig.get_paths()["stdlib"]
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in ("site-packages", "dist-packages", "__pycache__"))
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")]
    return found


def load():
    """The training bytes and the held-out bytes; whole files are held out, so that no line is in both."""
    train, held_out = bytearray(), bytearray()
    for index, path in enumerate(files()):
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            continue
        (held_out if index % HELD_OUT == 0 else train).extend(text)
        if len(train) > MAX_BYTES:
            break
    if len(held_out) < EVAL_LENGTH + 2:
        sys.exit("This Python comes without its sources, so there is nothing to learn from.")
    return bytes(train), bytes(held_out)


def held_out_pieces(held_out):
    """The held-out bytes that count, in pieces: of each all but the first are to be predicted."""
    last = len(held_out) - EVAL_LENGTH - 1
    stride = max(1, last // EVAL_SEQUENCES)
    return [held_out[at : at + EVAL_LENGTH + 1] for at in range(0, last, stride)][:EVAL_SEQUENCES]


def evaluate_bpb(loss_of, held_out):
    """Bits per byte on the held-out bytes.

    `loss_of(inputs, targets)` gets two lists of as many lists of bytes and returns the mean cross-entropy in nats.
    """
    pieces = held_out_pieces(held_out)
    total = 0.0
    for at in range(0, len(pieces), EVAL_BATCH):
        batch = pieces[at : at + EVAL_BATCH]
        loss = float(loss_of([list(piece[:-1]) for piece in batch], [list(piece[1:]) for piece in batch]))
        total += loss * len(batch)
    return total / len(pieces) / math.log(2)


class Clock:
    """The budget: what is done before the first step, compiling for instance, does not count."""

    def __init__(self):
        self.began = time.perf_counter()
        self.trained = 0.0
        self.last = None

    def tick(self):
        """Call it before the first step and after each; returns the seconds of the step."""
        now = time.perf_counter()
        seconds = 0.0 if self.last is None else now - self.last
        self.last = now
        self.trained += seconds
        return seconds

    @property
    def is_over(self):
        return self.trained >= TIME_BUDGET


def report_progress(step, clock, loss, multiplier, seconds, tokens, mfu, epoch):
    """One line that overwrites itself."""
    share = min(100.0, 100 * clock.trained / TIME_BUDGET)
    left = max(0, TIME_BUDGET - clock.trained)
    rate = int(tokens / seconds) if seconds > 0 else 0
    sys.stdout.write(
        f"\rstep {step:05d} ({share:.1f}%) | loss: {loss:.6f} | lrm: {multiplier:.2f} | dt: {1000 * seconds:.0f}ms"
        f" | tok/sec: {rate:,} | mfu: {percent(mfu)} | epoch: {epoch} | remaining: {left:.0f}s    "
    )
    sys.stdout.flush()


def report_summary(clock, val_bpb, memory_mb, mfu, tokens, steps, parameters, depth):
    print("\n---")
    for name, value in (
        ("val_bpb", f"{val_bpb:.6f}"),
        ("training_seconds", f"{clock.trained:.1f}"),
        ("total_seconds", f"{time.perf_counter() - clock.began:.1f}"),
        ("peak_vram_mb", "n/a" if memory_mb is None else f"{memory_mb:.1f}"),
        ("mfu_percent", "n/a" if mfu is None else f"{mfu:.2f}"),
        ("total_tokens_M", f"{tokens / 1e6:.1f}"),
        ("num_steps", str(steps)),
        ("num_params_M", f"{parameters / 1e6:.1f}"),
        ("depth", str(depth)),
    ):
        print(f"{name + ':':<18}{value}")


def percent(mfu):
    return "n/a" if mfu is None else f"{mfu:.1f}%"
