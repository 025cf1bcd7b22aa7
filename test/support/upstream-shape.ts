/**
 * A repository with upstream's structure: a small causal language model in PyTorch, which trains on the processor in
 * moments, on shards below `~/.cache/autoresearch`. It needs PyTorch only when it runs.
 */

const PROGRAM = `# Research by experiments

You may change \`train.py\` and nothing else. \`prepare.py\` is fixed. Run \`python3 train.py\`; it prints

\`\`\`
val_bpb:          2.000000
\`\`\`

**The goal is to get the lowest val_bpb.**
`;

const PREPARE = `"""The data, the budget and the evaluation. Fixed."""
import math
import os

import torch

MAX_SEQ_LEN = 32
TIME_BUDGET = 2
EVAL_TOKENS = 24 * 32 + 5

DATA_DIR = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch")
VAL_FILENAME = "shard_00001.txt"


class Tokenizer:
    """Letters, the space, and a mark for where a text begins."""

    @classmethod
    def from_directory(cls, folder=DATA_DIR):
        return cls()

    def get_vocab_size(self):
        return 28

    def encode(self, text):
        return [27, *(26 if letter == " " else ord(letter) - ord("a") for letter in text)]


def make_dataloader(tokenizer, B, T, split):
    path = os.path.join(DATA_DIR, "shard_00000.txt")
    if split == "val":
        path = os.path.join(DATA_DIR, VAL_FILENAME)
    with open(path) as file:
        tokens = tokenizer.encode(file.read().strip())
    rows = [tokens[at:at + T + 1] for at in range(0, len(tokens) - T - 1, T)]
    at = 0
    while True:
        batch = torch.tensor([rows[(at + row) % len(rows)] for row in range(B)])
        at += B
        yield batch[:, :-1], batch[:, 1:], at // len(rows)


@torch.no_grad()
def evaluate_bpb(model, tokenizer, batch_size):
    nbytes = torch.tensor([1] * 27 + [0])
    loader = make_dataloader(tokenizer, batch_size, MAX_SEQ_LEN, "val")
    nats, total = 0.0, 0
    for _ in range(EVAL_TOKENS // (batch_size * MAX_SEQ_LEN)):
        x, y, _ = next(loader)
        loss = model(x, y, reduction='none').view(-1)
        counted = nbytes[y.reshape(-1)]
        nats += (loss * counted).sum().item()
        total += counted.sum().item()
    return nats / total / math.log(2)
`;

const TRAIN = `"""A model of the text. Everything in this file may change."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from prepare import MAX_SEQ_LEN, TIME_BUDGET, Tokenizer, make_dataloader, evaluate_bpb

WIDTH = 16
DEVICE_BATCH_SIZE = 8
STEPS = 60
LEARNING_RATE = 0.02


class Net(nn.Module):
    def __init__(self, kinds):
        super().__init__()
        self.tokens = nn.Embedding(kinds, WIDTH)
        self.mix = nn.Parameter(torch.zeros(MAX_SEQ_LEN, MAX_SEQ_LEN))
        self.head = nn.Linear(WIDTH, kinds)

    def forward(self, idx, targets=None, reduction='mean'):
        mask = torch.ones(MAX_SEQ_LEN, MAX_SEQ_LEN).tril() > 0
        weights = self.mix.masked_fill(~mask, float("-inf")).softmax(dim=-1)
        x = self.tokens(idx)
        logits = self.head(x + weights @ x).float()
        if targets is None:
            return logits
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1), reduction=reduction)


torch.manual_seed(1)
autocast_ctx = torch.amp.autocast(device_type="cpu", dtype=torch.bfloat16)
tokenizer = Tokenizer.from_directory()
with torch.device("meta"):
    model = Net(tokenizer.get_vocab_size())
model.to_empty(device="cpu")
with torch.no_grad():
    for parameter in model.parameters():
        parameter.normal_(std=0.1)

# Adam is enough here.
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
loader = make_dataloader(tokenizer, DEVICE_BATCH_SIZE, MAX_SEQ_LEN, "train")

for step in range(STEPS):
    x, y, epoch = next(loader)
    with autocast_ctx:
        loss = model(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# What came of it.
model.eval()
with autocast_ctx:
    val_bpb = evaluate_bpb(model, tokenizer, DEVICE_BATCH_SIZE)
print("---")
print(f"val_bpb:          {val_bpb:.6f}")
print("peak_vram_mb:     0.0")
`;

export const UPSTREAM_SHAPE: Readonly<Record<'program.md' | 'prepare.py' | 'train.py', string>> = {
  'program.md': PROGRAM,
  'prepare.py': PREPARE,
  'train.py': TRAIN,
};

/** A text for the shards: recurring words in an order determined by `seed`. */
export function shard(seed: number): string {
  const words = 'the model reads a line and says what follows from all it has seen so far'.split(' ');
  let state = seed;
  const next = () => {
    // Numerical Recipes' linear congruential generator.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return words[Math.floor((state / 2 ** 32) * words.length)] ?? '';
  };
  return `${Array.from({ length: 1200 }, next).join(' ')}\n`;
}
