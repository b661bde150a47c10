"""One step of gradient descent of embedding and head by PyTorch, gradients by autograd: test/golden/head/vectors.json.

    python experiments/oracles/head_vectors.py [OUT]

hidden = embedding[ids] + residual, loss = cross-entropy of hidden . head^T, straight-through. int8_row: one scale a row,
d = float16(max |w| / 127), and the hidden states in int8 by token. absmean_ternary_group: mean |w| of each group of a row.
"""

import json
import pathlib
import sys

import torch
from torch.nn.functional import cross_entropy

TOKENS, WIDTH, VOCABULARY, GROUP, LEARNING_RATE = 5, 128, 5, 64, 0.1

torch.manual_seed(15)
tables = {"embedding": 0.2 * torch.randn(VOCABULARY, WIDTH), "head": 0.2 * torch.randn(VOCABULARY, WIDTH)}
residual = 0.5 * torch.randn(TOKENS, WIDTH)
ids = torch.randint(0, VOCABULARY, (TOKENS,))
targets = torch.randint(0, VOCABULARY, (TOKENS,))


def numbers(x):
    """Float32 values in the nine digits that tell them apart."""
    return [float(f"{value:.9g}") for value in x.flatten().tolist()]


def straight_through(w, values):
    return w + (values - w).detach()


def int8_rows(w):
    scale = w.abs().amax(1, keepdim=True) / 127
    return (w * (1 / scale)).round().clamp(-127, 127) * scale.half().float()


def int8_tokens(x):
    largest = x.abs().amax(1, keepdim=True).clamp(min=1e-5)
    return (x * (127 / largest)).round().clamp(-128, 127) * (largest / 127)


def ternary_groups(w):
    groups = w.reshape(-1, GROUP)
    scale = groups.abs().mean(1, keepdim=True).clamp(min=1e-5)
    return ((groups * (1 / scale)).round().clamp(-1, 1) * scale.half().float()).reshape(w.shape)


def step(quantize, quantize_hidden, is_tied):
    latent = {name: tables[name].clone().requires_grad_() for name in (["embedding"] if is_tied else tables)}
    values = {name: straight_through(w, quantize(w)) for name, w in latent.items()}
    hidden = values["embedding"][ids] + residual
    operand = straight_through(hidden, int8_tokens(hidden)) if quantize_hidden else hidden
    loss = cross_entropy(operand @ values["embedding" if is_tied else "head"].T, targets)
    loss.backward()
    return {
        "loss": loss.item(),
        "updated": {name: numbers(w - LEARNING_RATE * w.grad) for name, w in latent.items()},
    }


cases = [
    {"name": name, "tied": is_tied, **step(quantize, quantize_hidden, is_tied)}
    for name, quantize, quantize_hidden in [
        ("int8_row", int8_rows, True),
        ("absmean_ternary_group", ternary_groups, False),
    ]
    for is_tied in (True, False)
]
vectors = {
    "shape": {"tokens": TOKENS, "width": WIDTH, "vocabulary": VOCABULARY, "group": GROUP},
    "learningRate": LEARNING_RATE,
    "embedding": numbers(tables["embedding"]),
    "head": numbers(tables["head"]),
    "residual": numbers(residual),
    "ids": ids.tolist(),
    "targets": targets.tolist(),
    "cases": cases,
}
root = pathlib.Path(__file__).parents[2]
out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "test/golden/head/vectors.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps(vectors) + "\n")
