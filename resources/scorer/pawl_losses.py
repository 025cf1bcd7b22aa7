"""Losses in place of distributions, where a vocabulary is too large for these to be sent, and how they are checked.

A row of 2,048 tokens of 8,192 kinds takes 64 MiB of distributions, and a validation set has thousands of rows. So the
model program tells what each token costs, which takes 8 KiB. It could tell anything, for it sees the targets. Its twin
does not: of each row it gets what comes up to one place, drawn by chance, and gives the distribution there, before what
comes next is anywhere to be seen. Neither knows what the other one was asked. Where the two differ there is no score.

The scorer's side needs the standard library only, `serve` needs torch. Python 3.9 or later.
"""

import math
from array import array

import pawl_frames as frames
import pawl_score
from pawl_checks import BLIND_ERRORS, FLOATS, PROBE_TOLERANCE, Distributions, ScoreError, are_finite, chance


class CheckedLosses:
    """The losses of a model of so many classes, which is asked batch by batch; `finish` comes after the last.

    A model that tells less than it predicts for one token in n is found out with a chance of 1 - (1 - 1/n) ** rows.
    """

    def __init__(self, model, classes):
        if model.twin is None:
            raise ScoreError("Losses are checked by a second model program: [score] must not say twin = false.")
        self._model, self._classes = model, classes
        self._apart = array("d")

    def ask(self, tokens, targets):
        """Return what each target costs in nats, as an `Array` of the shape of `targets`, (rows, places).

        Both are whole numbers, and a target is what follows the place in which it stands.
        """
        rows, wanted = frames.to_array(tokens), frames.to_array(targets)
        if rows.shape != wanted.shape or len(rows.shape) != 2:
            raise ValueError("a row has as many tokens as targets")
        losses = self._model.ask(rows, wanted, expected=[(FLOATS, wanted.shape)])
        # Rounding may leave a certain target a little below 0.
        if not are_finite(losses) or min(losses.values()) < -PROBE_TOLERANCE:
            raise ScoreError("The model told a loss that is none: it is below 0, or no finite number.")
        self._compare(rows, wanted, losses)
        return losses

    def _compare(self, rows, wanted, losses):
        count, places = rows.shape
        order = list(range(count))
        chance.shuffle(order)
        cuts = [chance.randrange(places) for _ in order]
        shown = b"".join(_up_to(rows, row, cut) for row, cut in zip(order, cuts))
        answer = self._model.twin.ask(
            frames.Array(rows.dtype, rows.shape, shown), cuts, expected=[(FLOATS, (count, self._classes))]
        )
        at = [row * places + cut for row, cut in zip(order, cuts)]
        blind = Distributions(answer, 1, "log_probabilities").nats([wanted.values()[place] for place in at])
        for row, cut, place, cost in zip(order, cuts, at, blind):
            told = losses.values()[place]
            if not abs(cost - told) <= PROBE_TOLERANCE:
                raise ScoreError(
                    f"The model looks at what it must not see: a target (row {row}, place {cut}) cost {told:.4g} nats,"
                    f" as it told, and {cost:.4g} where what follows, there and in other rows, was hidden."
                )
            self._apart.append(cost - told)

    def finish(self):
        """End the scorer where losses were told too low throughout, each by less than what rounding could explain."""
        count = len(self._apart)
        if count == 0:
            raise ScoreError("No losses were asked for.")
        mean = math.fsum(self._apart) / count
        if mean > BLIND_ERRORS * PROBE_TOLERANCE / math.sqrt(count):
            raise ScoreError(f"The model tells losses that are too low, by {mean:.2g} nats each.")


def _up_to(rows, row, cut):
    """Return the bytes of a row in which all places behind `cut` hold its first token."""
    step = len(rows.data) // rows.shape[0]
    size = step // rows.shape[1]
    data = rows.data[row * step:(row + 1) * step]
    return bytes(data[:(cut + 1) * size]) + bytes(data[:size]) * (rows.shape[1] - cut - 1)


def serve(model, weights):
    """Answer a scorer that has `CheckedLosses`, until it has ended: `weights` is what the training left, a state_dict.

    `model(tokens)` has to return logits, (rows, places, classes), and `model(tokens, targets, reduction="none")` what
    each target costs in nats.
    """
    import torch

    model.load_state_dict(torch.load(pawl_score.artifact(weights), map_location="cpu", weights_only=True))
    model.eval()
    device = next(model.parameters()).device

    def answer(tokens, asked):
        tokens, asked = tokens.torch(device).long(), asked.torch(device).long()
        if asked.dim() == 2:
            return model(tokens, asked, reduction="none").reshape(asked.shape)
        return model(tokens)[torch.arange(len(asked), device=device), asked].float().log_softmax(dim=-1)

    with torch.no_grad():
        pawl_score.serve(answer)
