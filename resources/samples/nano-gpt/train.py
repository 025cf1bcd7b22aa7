"""A small GPT over bytes. Everything in this file may change."""

import contextlib
import math
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

import prepare

DEPTH = 4
WIDTH = 128
HEADS = 4
CONTEXT = 256
BATCH_SIZE = 16
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.1
BETAS = (0.9, 0.95)
WARMUP_RATIO = 0.05
FINAL_LR_RATIO = 0.1
GRADIENT_CLIP = 1.0
DROPOUT = 0.0
MLP_FACTOR = 4
ACTIVATION = "gelu"  # one of "gelu", "relu", "silu"
COMPILE = False
SEED = 42

# Of one H100 in bfloat16, as upstream counts; on other machines the share is only to compare with itself.
PEAK_FLOPS = 989e12

# What the training leaves, and the scorer's model is made of.
WEIGHTS = "model.pt"

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x):
        batch, length, _ = x.shape
        q, k, v = (
            part.view(batch, length, HEADS, WIDTH // HEADS).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1)
        )
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-2, -1) / math.sqrt(WIDTH // HEADS)
            mask = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
            y = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1) @ v
        return self.out(y.transpose(1, 2).reshape(batch, length, WIDTH))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.mlp_norm = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, MLP_FACTOR * WIDTH)
        self.down = nn.Linear(MLP_FACTOR * WIDTH, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x):
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        return x + self.dropout(self.down(getattr(F, ACTIVATION)(self.up(self.mlp_norm(x)))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(prepare.VOCAB_SIZE, WIDTH)
        self.places = nn.Embedding(max(CONTEXT, prepare.EVAL_LENGTH), WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, prepare.VOCAB_SIZE, bias=False)
        self.head.weight = self.tokens.weight
        self.apply(self.init)

    @staticmethod
    def init(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)

    def logits(self, inputs):
        x = self.tokens(inputs) + self.places.weight[: inputs.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)).float()

    def forward(self, inputs, targets):
        logits = self.logits(inputs)
        return F.cross_entropy(logits.view(-1, prepare.VOCAB_SIZE), targets.reshape(-1))


def mixed_precision():
    """bfloat16 where it is fast."""
    return torch.autocast("cuda", dtype=torch.bfloat16) if DEVICE == "cuda" else contextlib.nullcontext()


def multiplier(share):
    """Of the learning rate: up in a straight line, then down along a cosine."""
    if share < WARMUP_RATIO:
        return (share + 1e-3) / WARMUP_RATIO
    rest = (share - WARMUP_RATIO) / (1 - WARMUP_RATIO)
    return FINAL_LR_RATIO + (1 - FINAL_LR_RATIO) * 0.5 * (1 + math.cos(math.pi * min(1.0, rest)))


def main():
    torch.manual_seed(SEED)
    clock = prepare.Clock()
    train_bytes, held_out = prepare.load()
    data = torch.frombuffer(bytearray(train_bytes), dtype=torch.uint8).to(DEVICE)
    model = Model().to(DEVICE)
    parameters = sum(p.numel() for p in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=BETAS, weight_decay=WEIGHT_DECAY)
    run = torch.compile(model) if COMPILE else model
    tokens_a_step = BATCH_SIZE * CONTEXT
    span = torch.arange(CONTEXT + 1, device=DEVICE)
    step = 0
    clock.tick()
    while not clock.is_over:
        share = clock.trained / prepare.TIME_BUDGET
        scale = multiplier(share)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * scale
        starts = torch.randint(len(data) - CONTEXT - 1, (BATCH_SIZE, 1), device=DEVICE)
        batch = data[starts + span].long()
        with mixed_precision():
            loss = run(batch[:, :-1], batch[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_CLIP)
        optimizer.step()
        value = loss.item()
        seconds = clock.tick()
        mfu = 100 * 6 * parameters * tokens_a_step / max(seconds, 1e-9) / PEAK_FLOPS if DEVICE == "cuda" else None
        epoch = 1 + step * tokens_a_step // len(data)
        prepare.report_progress(step, clock, value, scale, seconds, tokens_a_step, mfu, epoch)
        if not math.isfinite(value) or value > 100:
            print("FAIL")
            sys.exit(1)
        step += 1

    torch.save(model.state_dict(), WEIGHTS)
    model.eval()

    @torch.no_grad()
    def loss_of(inputs, targets):
        with mixed_precision():
            return model(torch.tensor(inputs, device=DEVICE), torch.tensor(targets, device=DEVICE)).item()

    val_bpb = prepare.evaluate_bpb(loss_of, held_out)
    memory_mb = torch.cuda.max_memory_allocated() / 2**20 if DEVICE == "cuda" else None
    total = step * tokens_a_step
    mfu = 100 * 6 * parameters * total / clock.trained / PEAK_FLOPS if DEVICE == "cuda" else None
    prepare.report_summary(clock, val_bpb, memory_mb, mfu, total, step, parameters, DEPTH)


def serve():
    """Answer the scorer: bytes in, the log-probabilities of the byte after each out."""
    import pawl_score

    model = Model().to(DEVICE)
    model.load_state_dict(torch.load(pawl_score.artifact(WEIGHTS), map_location=DEVICE, weights_only=True))
    model.eval()

    @torch.no_grad()
    def predict(inputs):
        with mixed_precision():
            return model.logits(inputs.torch(DEVICE).long()).log_softmax(dim=-1)

    pawl_score.serve(predict)


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
