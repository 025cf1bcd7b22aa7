"""For scorers, and for the models they ask: the number that Pawl takes, from outside of what is scored.

A scorer calls `report` once, with numbers; `artifact` names what the training left. Where the contract names a
model program, that program calls `serve`, and the scorer asks it through `model`: inputs go out, predictions come
back, and what is checked of them stands at each function. Whatever fails a check ends the scorer with one sentence
and exit code 1, and there is no score. How long it may take is for Pawl to say, not for this file.

The standard library is enough; arrays of numpy and tensors of torch are taken as they are. Python 3.9 or later.
"""

import json
import math
import os
import sys
import traceback
from array import array

import pawl_frames as frames
from pawl_checks import FLOATS, KINDS, ScoreError, ValidationSet, are_finite, chance, find_remembered

_has_reported = False
_model = None


def artifact(name):
    """Return the path of what the training left under that name, a path within the repository. It is read-only."""
    root = os.path.realpath(_told("PAWL_ARTIFACTS"))
    path = os.path.realpath(os.path.join(root, name))
    # A link out of the folder is none: what it leads to was not left by the training.
    if os.path.commonpath([root, path]) != root or not os.path.exists(path):
        raise ScoreError(f"The training left no {name}.")
    return path


def report(**numbers):
    """Hand the score to Pawl: report(val_bpb=0.98, accuracy=0.5). Once, with finite numbers."""
    global _has_reported
    if _has_reported:
        raise ScoreError("A score was reported already.")
    if not numbers:
        raise ScoreError("A score without a number is none.")
    line = json.dumps({name: _finite(name, value) for name, value in numbers.items()}) + "\n"
    descriptor = int(_told("PAWL_SCORE_FD"))
    _has_reported = True
    # Who made it may have left it otherwise.
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as score:
        score.write(line.encode())


def _finite(name, value):
    number = None
    if not isinstance(value, (bool, str, bytes, bytearray)):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    if number is None:
        raise ScoreError(f"{name} is a {type(value).__name__}, not a number that can be a score.")
    if not math.isfinite(number):
        raise ScoreError(f"{name} is {number}, which is not a finite number.")
    return number


def _told(variable):
    if variable not in os.environ:
        raise ScoreError(f"{variable} is not set: Pawl starts this program, with what it needs.")
    return os.environ[variable]


def _stream(variable):
    read, write = _told(variable).split(",")
    return frames.Stream(int(read), int(write))


def serve(function):
    """Answer the scorer until it has ended: `function` gets the arrays that were asked, and returns one, or a tuple.

    It gets them as `Array`, which has `tolist()`, `rows()`, `numpy()` and `torch(device)`. What it raises ends the
    program, and the scorer is told.
    """
    with _stream("PAWL_MODEL_FDS") as stream:
        while True:
            try:
                asked = frames.receive(stream)
            except (frames.StreamEnded, ConnectionResetError):
                return
            try:
                answer = function(*asked)
                answers = answer if isinstance(answer, tuple) else (answer,)
                frames.send(stream, [frames.to_array(each) for each in answers])
            except (BrokenPipeError, ConnectionResetError):
                return
            except Exception as error:
                traceback.print_exc()
                frames.send_error(stream, f"{type(error).__name__}: {error}")
                sys.exit(1)


def model():
    """Return the model program, which is there where the contract names one.

    Where Pawl has started it twice, PAWL_TWIN_FDS leads to the other one, which knows nothing of this one.
    """
    global _model
    if _model is None:
        twin = Model(_stream("PAWL_TWIN_FDS")) if "PAWL_TWIN_FDS" in os.environ else None
        _model = Model(_stream("PAWL_MODEL_FDS"), twin)
    return _model


class Model:
    """The other end of `serve`. It may be anything that the attempt's code made of it."""

    def __init__(self, stream, twin=None):
        self._stream = stream
        self.twin = twin

    def ask(self, *arrays, expected=None):
        """Send arrays and return the one that comes back, or a list of several.

        `expected` is a list of (names of dtypes, shape): all that is checked of the answer, beside its form.
        """
        asked = [frames.to_array(each) for each in arrays]
        try:
            frames.send(self._stream, asked)
            answer = frames.receive(self._stream, expected)
        except frames.FrameError as error:
            raise ScoreError(f"The model program gave no answer: {error}.") from None
        except OSError as error:
            raise ScoreError(f"The model program ended before it answered ({error.strerror}).") from None
        return answer[0] if len(answer) == 1 else answer

    def predict(self, inputs, shape):
        """Return finite numbers of exactly that shape, as an `Array` of float32 or float64."""
        answer = self.ask(inputs, expected=[(FLOATS, shape)])
        if not are_finite(answer):
            raise ScoreError("The model answered with a number that is not finite.")
        return answer


def cross_entropies(model, inputs, targets, classes, kind="log_probabilities", batch=16, probes=4):
    """Return what each target costs, in nats, as an array of doubles in the order of `targets`.

    `inputs` are rows of one shape. `targets` are class numbers: either one a row, or one for each place of a row,
    where a place may depend on nothing but the places up to it. The model gets `batch` rows at a time and answers
    with `kind`, "log_probabilities" or "probabilities", of shape (rows, classes) or (rows, places, classes). Each
    answer is checked to be a distribution, and to give a chance to what came.

    As many batches as `probes`, drawn by chance, are asked about twice: changed first (`ValidationSet.probe`), then as
    they are. What was predicted before the change has to stay, within PROBE_TOLERANCE. A program that remembers could
    see to that; so its twin is asked for one of the two, or, where there is none, what had not been shown may not
    be dearer than the rest (`find_remembered`).
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, none of {', '.join(KINDS)}")
    rows, wanted = [frames.to_array(row) for row in inputs], frames.to_array(targets)
    flat = wanted.values().tolist()
    if len(rows) != wanted.shape[0] or len(wanted.shape) > 2 or not 0 <= min(flat) <= max(flat) < classes:
        raise ValueError("targets are class numbers, for as many rows as there are inputs")
    validation = ValidationSet(rows, wanted.shape[1] if len(wanted.shape) == 2 else None, classes, kind)
    # Neither knows whether it is asked for a probe or for what counts.
    asked = [model, model.twin or model]
    starts = range(0, len(rows), batch)
    probed = set(chance.sample(starts, min(probes, len(starts))))
    nats, blind = array("d"), []
    for start in starts:
        numbers = range(start, min(start + batch, len(rows)))
        chance.shuffle(asked)
        # First: a program that remembers what it said could answer a change that comes later as if there were none.
        probe = validation.probe(asked[1], numbers) if start in probed else None
        answer = validation.answer(asked[0], [rows[number] for number in numbers])
        if probe is not None:
            blind += validation.compare(asked[0], probe, numbers, answer)
        nats.extend(answer.nats(flat[len(nats):len(nats) + len(numbers) * validation.places]))
    if model.twin is None:
        find_remembered(nats, blind)
    return nats


def mean_cross_entropy(model, inputs, targets, classes, **how):
    """Return the mean of `cross_entropies`, in nats."""
    nats = cross_entropies(model, inputs, targets, classes, **how)
    return math.fsum(nats) / len(nats)


def bits_per_byte(model, pieces, classes=256, token_bytes=None, **how):
    """Return the bits that each byte costs, of texts whose tokens are predicted from those before them.

    `pieces` are rows of tokens, all as long: a prediction is wanted of each but the first. `token_bytes` says how many
    bytes each token stands for, where they are not bytes; those that stand for none do not count. `how` goes to
    `cross_entropies`.
    """
    inputs, targets = [piece[:-1] for piece in pieces], [piece[1:] for piece in pieces]
    nats = cross_entropies(model, inputs, targets, classes, **how)
    sizes = [1] * len(nats)
    if token_bytes is not None:
        sizes = [int(token_bytes[token]) for token in frames.to_array(targets).values()]
    return math.fsum(cost for cost, size in zip(nats, sizes) if size > 0) / sum(sizes) / math.log(2)
