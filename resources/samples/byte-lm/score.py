"""The score, val_bpb, of what the training left: computed outside of it. Fixed.

Pawl starts it when the training has ended, beside `train.py --serve`, which is shown
contexts and answers with predictions. Of each passage the contexts come one after the other,
so a byte is shown only when it has been predicted: there is nothing ahead to be looked at.
"""

import math

import pawl_score

from prepare import CONTEXT_BYTES, PASSAGE_BYTES, _validation_passages


def main():
    model = pawl_score.model()
    passages = _validation_passages()
    nats = []
    # At each place all passages in one question: a question for each byte would take longer than its answer.
    for at in range(CONTEXT_BYTES, CONTEXT_BYTES + PASSAGE_BYTES):
        contexts = [passage[at - CONTEXT_BYTES:at] for passage in passages]
        nats += pawl_score.cross_entropies(
            model, contexts, [passage[at] for passage in passages], classes=256,
            kind="probabilities", batch=len(passages), probes=0,
        )
    pawl_score.report(val_bpb=math.fsum(nats) / len(nats) / math.log(2))


if __name__ == "__main__":
    main()
