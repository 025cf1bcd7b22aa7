"""The score, val_bpb, of the weights that the training left, by prepare.py's own evaluate_bpb. Fixed.

Pawl starts it when the training has ended. The model that evaluate_bpb gets here stands for two programs,
`train.py --serve`, that are asked for losses and, to check these, for distributions; see pawl_losses.py.
"""

import os

import pawl_losses
import pawl_score
import torch

import prepare

# So many rows at a time train.py evaluated when this was written, where it says so in a number.
ROWS = 16
# More of them need more memory, which two programs share.
MOST_ROWS = 16
# A shard in place of the one that the training evaluates on; as score.reads names it, nobody else can read it.
HELD_OUT = None


def rows_at_a_time():
    """The largest number up to MOST_ROWS with which evaluate_bpb sees the rows it sees with ROWS, else ROWS."""
    def seen(rows):
        return prepare.EVAL_TOKENS // (rows * prepare.MAX_SEQ_LEN) * rows

    return next((rows for rows in range(min(ROWS, MOST_ROWS), 0, -1) if seen(rows) == seen(ROWS)), ROWS)


class AskedModel(torch.nn.Module):
    """What evaluate_bpb takes for the model."""

    def __init__(self, losses):
        super().__init__()
        self.losses = losses
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        # For an evaluate_bpb that asks where the model is.
        self.place = torch.nn.Parameter(torch.empty(0, device=device))

    def forward(self, tokens, targets, reduction="none"):
        return self.losses.ask(tokens, targets).torch(tokens.device)


def main():
    if HELD_OUT:
        prepare.DATA_DIR, prepare.VAL_FILENAME = os.path.split(os.path.expanduser(HELD_OUT))
    tokenizer = prepare.Tokenizer.from_directory()
    losses = pawl_losses.CheckedLosses(pawl_score.model(), tokenizer.get_vocab_size())
    val_bpb = prepare.evaluate_bpb(AskedModel(losses), tokenizer, rows_at_a_time())
    losses.finish()
    pawl_score.report(val_bpb=val_bpb)


if __name__ == "__main__":
    main()
