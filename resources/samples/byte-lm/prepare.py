"""The fixed half of the experiment: the data, the budget of work and the score.

An automated loop edits train.py and leaves this file alone; a score only means
something while the thing that computes it stays the same.

The text is the Python standard library's own source, as found on this machine.
Every file belongs either to training or to validation, decided by a hash of its
path, so the split is the same in every run and needs no list to be stored.

What is guarded: `load_training_text` returns no validation file; `evaluate_bpb`
hands the model nothing but bytes that came before the one to predict, copies each
answer before looking at it, and refuses anything that is not a distribution.

What is not: the validation files lie on the disk like all the others, and Python
lets a program look into its caller or replace a function of this module. Nothing
here stops code that sets out to cheat. Reading train.py's changes does.
"""

import hashlib
import math
import os
import sysconfig
import time
from array import array

LOOKUP_BUDGET = 10_000_000  # contexts looked up in training, however long that takes
TIME_BUDGET = 5             # seconds that this takes, about; nothing is ended by it
TIME_LIMIT = 60             # seconds after which training ends all the same: a guard, not a budget
CONTEXT_BYTES = 1024        # how much of the past a model is shown at most

MAX_FILE_BYTES = 2**16      # of a long file only the head is used, so that no file dominates
MAX_TRAINING_BYTES = 2**23  # bounds the memory and the time that loading takes
MIN_TRAINING_BYTES = 2**21  # with less than this a run would go round the same few files
VALIDATION_SHARE = 0.1      # of the files
PASSAGES = 32               # validation passages, each from a file of its own
PASSAGE_BYTES = 1280        # scored bytes per passage; their sum sets how long scoring takes
SUM_TOLERANCE = 1e-6        # how far from 1 a distribution's sum may be

# Not part of every installation (test, idlelib), not the library's (site-packages),
# or tables rather than code (encodings, pydoc_data).
SKIPPED_FOLDERS = {
    "__pycache__", "dist-packages", "encodings", "idlelib", "pydoc_data", "site-packages", "test", "tests",
}


class Budget:
    """What training may do: LOOKUP_BUDGET look-ups, each of one context, to count a byte after it.

    Counted work, so that a run gives the same score on a busy machine as on a quiet one,
    and every change of the code is given equally much. The clock starts with the object.
    """

    def __init__(self):
        self.left = self._whole = LOOKUP_BUDGET
        self._began = time.perf_counter()

    def spend(self, lookups):
        """Take off what was looked up. Never more than is left: ask before a byte is learned, not after."""
        if not 0 <= lookups <= self.left:
            raise ValueError(f"{lookups:,} look-ups, with {self.left:,} left")
        self.left -= lookups

    def share_spent(self):
        return 1 - self.left / self._whole

    def seconds(self):
        return time.perf_counter() - self._began

    def is_late(self):
        """Whether training has to end although look-ups are left: the score is not comparable then."""
        return self.seconds() >= TIME_LIMIT


def _source_files():
    """Yield (path, is_validation) of each source file, in an order that only the names decide."""
    root = sysconfig.get_paths()["stdlib"]
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in SKIPPED_FOLDERS]
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, root).replace(os.sep, "/")
                found.append((hashlib.sha256(relative.encode()).digest(), path))
    for digest, path in sorted(found):
        yield path, digest[-1] < VALIDATION_SHARE * 256


def _read(path):
    with open(path, "rb") as file:
        # One kind of line end on every platform, so that scores can be compared.
        return file.read(MAX_FILE_BYTES).replace(b"\r\n", b"\n")


def _give_up(what):
    raise SystemExit(
        f"prepare.py: {what} in {sysconfig.get_paths()['stdlib']}.\n"
        "This sample trains on the source files of Python's standard library. Some installations "
        "leave them out or keep them in a zip file: run it with a full Python."
    )


def load_training_text():
    """Return the training files, one after the other, as bytes."""
    texts, size = [], 0
    for path, is_validation in _source_files():
        if not is_validation and size < MAX_TRAINING_BYTES:
            texts.append(_read(path))
            size += len(texts[-1])
    if size < MIN_TRAINING_BYTES:
        _give_up(f"only {size:,} bytes of training text")
    return b"".join(texts)[:MAX_TRAINING_BYTES]


def _validation_passages():
    """Return texts of CONTEXT_BYTES that are only shown, then PASSAGE_BYTES that are scored."""
    needed = CONTEXT_BYTES + PASSAGE_BYTES
    passages = []
    for path, is_validation in _source_files():
        if is_validation and len(passages) < PASSAGES:
            text = _read(path)
            if len(text) >= needed:
                passages.append(text[:needed])
    if len(passages) < PASSAGES:
        _give_up(f"only {len(passages)} of {PASSAGES} validation passages")
    return passages


def _checked(probabilities):
    """Copy a model's answer into plain doubles, or raise ValueError if it is no distribution."""
    # The copy is what counts: an answer cannot change between the check and the look-up.
    plain = array("d", probabilities)
    if len(plain) != 256:
        raise ValueError(f"predict returned {len(plain)} probabilities, not 256")
    total = sum(plain)
    # Written so that NaN fails too: every comparison with it is false, and it makes the sum NaN.
    if not (min(plain) >= 0 and abs(total - 1) <= SUM_TOLERANCE):
        raise ValueError(f"predict returned no distribution: smallest {min(plain)!r}, sum {total!r}")
    return plain


def evaluate_bpb(predict):
    """Return validation bits per byte, the mean of -log2 p(byte | what came before). Lower is better.

    `predict(context)` takes the last bytes seen, CONTEXT_BYTES at most, and returns the
    probability of each of the 256 values that the next byte can have.
    """
    bits = 0.0
    for passage in _validation_passages():
        for at in range(CONTEXT_BYTES, len(passage)):
            probability = _checked(predict(passage[at - CONTEXT_BYTES:at]))[passage[at]]
            if probability == 0:
                raise ValueError(f"predict gave no chance to byte {passage[at]}, which came")
            bits -= math.log2(probability)
    return bits / (PASSAGES * PASSAGE_BYTES)


def peak_rss_mb():
    """Return the most memory this process has held, in MiB, or None where that cannot be told."""
    try:
        # Linux: getrusage would count the program that started us as well, /proc does not.
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if os.uname().sysname == "Darwin" else peak / 1024


if __name__ == "__main__":
    files = list(_source_files())
    held_out = sum(is_validation for _, is_validation in files)
    print(f"source:     {sysconfig.get_paths()['stdlib']}")
    print(f"training:   {len(files) - held_out} files, {len(load_training_text()):,} bytes of them used")
    print(f"validation: {held_out} files, {len(_validation_passages())} passages of {PASSAGE_BYTES:,} bytes used")
    print(f"budget:     {LOOKUP_BUDGET:,} look-ups in training, about {TIME_BUDGET} seconds")
