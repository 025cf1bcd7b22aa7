"""What a scorer makes sure of: that answers are distributions, and that no prediction depends on what it may not see.

Python 3.9 or later; numpy is used where it is there and there is much to check.
"""

import math
import random

import pawl_frames as frames

# How far from 1 the sum of a distribution may be: float32 adds up 50,000 classes ten times as exactly. Nothing is to
# be gained by it, for probabilities are divided by their sum.
SUM_TOLERANCE = 1e-4
# By how many nats a prediction may change when nothing changed that it may depend on. A probe has the shape of the
# batch it probes, so the same kernels run: on a processor an honest difference is 0, in bfloat16 as well. Where a
# kernel adds up in an order of its own, it is about 1e-5 in float32. Whoever hides what he saw of the answer below
# this gains less than this, a thousandth of a nat a prediction.
PROBE_TOLERANCE = 1e-3
# Chances below it count as equal.
LEAST_CHANCE = 1e-12
# Standard errors that the places not shown may be predicted worse than all. Losses have a long tail, by which
# 48 honest ones still pass but for one scoring in 10,000.
BLIND_ERRORS = 6
# From so many numbers on numpy is worth its import.
MANY = 2**20
# Rows that are looked at to find one that differs.
DRAWS = 16

KINDS = ("log_probabilities", "probabilities")
FLOATS = ("float32", "float64")

# What is drawn from the machine's entropy cannot be foreseen by a model.
chance = random.SystemRandom()


class ScoreError(SystemExit):
    """Why there is no score, in one sentence. It ends the program with that and exit code 1."""


def numpy_for(answer):
    """Return numpy where it is there and worth its import, else None."""
    if math.prod(answer.shape) < MANY:
        return None
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def are_finite(answer):
    numpy = numpy_for(answer)
    return bool(numpy.isfinite(answer.numpy()).all()) if numpy else all(map(math.isfinite, answer.values()))


class Distributions:
    """Those over the last dimension of an `Array`, one for each place of each row; checked when it is made."""

    def __init__(self, answer, places, kind):
        self.places, self.classes, self.is_log = places, answer.shape[-1], kind == "log_probabilities"
        self.values = answer.values()
        self.numpy = numpy_for(answer)
        self.table = answer.numpy().reshape(-1, self.classes) if self.numpy else None
        self.sums = []
        for at, (total, least) in enumerate(self._sums()):
            # Written so that NaN fails too: it makes the sum NaN, and every comparison with it is false.
            if not abs(total - 1) <= SUM_TOLERANCE:
                where = f"row {at // places}, place {at % places}"
                raise ScoreError(f"The model's answer is no distribution: it sums to {total:.6g} ({where}).")
            if least < 0:
                raise ScoreError(f"The model's answer is no distribution: it holds {least:.6g}, below 0.")
            self.sums.append(total)

    def _sums(self):
        """Return the sum and the least chance of each distribution."""
        if self.numpy:
            with self.numpy.errstate(all="ignore"):
                chances = self.numpy.exp(self.table) if self.is_log else self.table
                sums, least = chances.sum(axis=1, dtype="float64"), chances.min(axis=1)
                return zip(sums.tolist(), least.tolist())
        return map(self._sum, range(len(self.values) // self.classes))

    def _sum(self, at):
        numbers = self._one(at)
        if not self.is_log:
            return sum(numbers), min(numbers)
        try:
            return sum(map(math.exp, numbers)), 0
        except OverflowError:
            return math.inf, 0

    def _one(self, at):
        return self.values[at * self.classes:(at + 1) * self.classes].tolist()

    def nats(self, targets):
        """Return what each target costs in nats, chances divided by their sum. Ends the scorer where one had none."""
        costs = []
        for at, (target, total) in enumerate(zip(targets, self.sums)):
            number = self.values[at * self.classes + target]
            if number == (-math.inf if self.is_log else 0):
                raise ScoreError(f"The model gave no chance to class {target}, which came.")
            costs.append(math.log(total) - (number if self.is_log else math.log(number)))
        return costs

    def difference(self, row, other, other_row, places):
        """Return the largest difference of two rows' first places, in nats, and the place where it is."""
        mine, theirs = self.logs(row, places), other.logs(other_row, places)
        if self.numpy:
            apart = abs(mine - theirs).max(axis=1).tolist()
        else:
            apart = [max(abs(a - b) for a, b in zip(*pair)) for pair in zip(mine, theirs)]
        return max((worst, place) for place, worst in enumerate(apart))

    def logs(self, row, places):
        """Return the logarithms at a row's first places, those of chances below LEAST_CHANCE raised to it."""
        at, least = row * self.places, math.log(LEAST_CHANCE)
        if self.numpy:
            table = self.table[at:at + places].astype("float64")
            raised = self.numpy.maximum(table, least if self.is_log else LEAST_CHANCE)
            return raised if self.is_log else self.numpy.log(raised)
        found = [self._one(place) for place in range(at, at + places)]
        if self.is_log:
            return [[max(number, least) for number in numbers] for numbers in found]
        return [[math.log(max(number, LEAST_CHANCE)) for number in numbers] for numbers in found]


class ValidationSet:
    """How the batches of one set are asked, and probed.

    `rows` are `Array`s of one shape; `places` says for how many places of each a prediction is wanted, None where it
    is one for the whole row.
    """

    def __init__(self, rows, places, classes, kind):
        self.rows, self.kind = rows, kind
        self.shape = (classes,) if places is None else (places, classes)
        self.places = places or 1
        self.has_places = places is not None
        if self.has_places and any(row.shape[:1] != (places,) for row in rows):
            raise ValueError("a row has as many inputs as targets")

    def answer(self, model, rows):
        """Ask about these rows, as they are."""
        answer = model.ask(frames.to_array(rows), expected=[(FLOATS, (len(rows), *self.shape))])
        return Distributions(answer, self.places, self.kind)

    def probe(self, model, numbers):
        """Ask about the rows of these numbers, changed; return what `compare` needs to know of it.

        A quarter of them, one at least, become others; of each other one the places from some on are exchanged. Then
        they are put in another order.
        """
        kept = [chance.randrange(1, self.places) if self.places > 1 else 1 for _ in numbers]
        if len(kept) > 1:
            for index in chance.sample(range(len(kept)), max(1, len(kept) // 4)):
                kept[index] = 0
        order = list(range(len(kept)))
        chance.shuffle(order)
        changed = [self.exchange(numbers[index], kept[index]) for index in order]
        pairs = [(index, at, cut) for at, (index, (_, cut)) in enumerate(zip(order, changed))]
        return pairs, self.answer(model, [row for row, _ in changed])

    def exchange(self, number, cut):
        """Return a row with another one's places from `cut` on, and how many of its own it has kept."""
        row = self.rows[number]
        step = len(row.data) // self.places
        here = slice(cut * step, (cut + 1) * step)
        if cut < self.places:
            for _ in range(DRAWS):
                other = chance.choice(self.rows)
                if other.data[here] != row.data[here]:
                    data = bytes(row.data[:cut * step]) + bytes(other.data[cut * step:])
                    return frames.Array(row.dtype, row.shape, data), cut
        # A text may repeat itself so much that none differs.
        return row, self.places

    def compare(self, model, probe, numbers, answer):
        """End the scorer where a prediction changed without a reason; return the places that were predicted blind.

        Blind is the last place before an exchange: what comes next had not been shown. Places are counted through the
        whole set.
        """
        pairs, changed = probe
        blind = []
        for index, at, cut in pairs:
            if cut == 0:
                continue
            apart, place = changed.difference(at, answer, index, cut)
            if apart > PROBE_TOLERANCE:
                self._end(model, numbers, index, place, apart, answer)
            if cut < self.places:
                blind.append(numbers[index] * self.places + cut - 1)
        return blind

    def _end(self, model, numbers, index, place, apart, answer):
        """Find out by one more question which it was: the row as it is, in another place, among copies of itself."""
        copies = self.answer(model, [self.rows[numbers[index]]] * len(numbers))
        by_others, _ = copies.difference((index + 1) % len(numbers), answer, index, self.places)
        what = f"a prediction (row {numbers[index]}, place {place}) changed by {apart:.2g} nats"
        if self.has_places and by_others <= PROBE_TOLERANCE:
            raise ScoreError(f"The model looks ahead: {what} with what comes after it.")
        raise ScoreError(f"The model looks at other rows of its batch: {what} with them.")


def find_remembered(nats, blind):
    """End the scorer where what was predicted blind costs more than what could have been seen.

    A program that remembers the first answer about a row may repeat it when it sees the rest, so it passes every
    comparison; but then it answered blind, and for this place it cannot have known better.
    """
    if len(blind) < 2:
        return
    mean = math.fsum(nats) / len(nats)
    spread = math.sqrt(math.fsum((cost - mean) ** 2 for cost in nats) / len(nats))
    hidden = math.fsum(nats[place] for place in blind) / len(blind)
    if hidden - mean > BLIND_ERRORS * spread / math.sqrt(len(blind)) + PROBE_TOLERANCE:
        raise ScoreError(
            f"The model looks ahead: it pays {hidden:.3g} nats for what it could not see, {mean:.3g} for all."
        )
