"""The score: bits per byte on the held-out bytes, of the model that the training left. Fixed.

Pawl starts it when the training has ended, beside `train.py --serve`, which gets inputs and answers with predictions.
"""

import pawl_score

import prepare


def main():
    _, held_out = prepare.load()
    pieces = prepare.held_out_pieces(held_out)
    pawl_score.report(val_bpb=pawl_score.bits_per_byte(pawl_score.model(), pieces, batch=prepare.EVAL_BATCH))


if __name__ == "__main__":
    main()
