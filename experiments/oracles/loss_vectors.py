"""Losses of an output head by PyTorch, gradients by autograd: test/golden/losses/vectors.json.

    python experiments/oracles/loss_vectors.py [OUT]

Each case is a section `loss` of a recipe. The formulas are written as the papers have them: cross-entropy, z-loss (PaLM), and
distillation by torch.nn.functional.kl_div, of all ids, or of the likeliest ones and the rest of the probability as one.
"""

import json
import pathlib
import sys

import torch
from torch.nn.functional import cross_entropy, kl_div

TOKENS, WIDTH, VOCABULARY, LEARNING_RATE = 7, 5, 11, 0.1

torch.manual_seed(3)
hidden = torch.randn(TOKENS, WIDTH)
table = torch.randn(VOCABULARY, WIDTH)
teacher_logits = 2 * torch.randn(TOKENS, VOCABULARY)
targets = torch.randint(0, VOCABULARY, (TOKENS,))
# Padding.
targets[[2, 6]] = -1

distillations = [
    {"weight": 1, "temperature": 1, "top_k": 0},
    {"weight": 2, "temperature": 3, "top_k": 0},
    {"weight": 1, "temperature": 1, "top_k": 4},
    {"weight": 0.5, "temperature": 2, "top_k": 3},
]
cases = [
    {},
    {"reduction": "sum"},
    {"cross_entropy": 0.25},
    {"z_loss": 0.01},
    {"z_loss": 0.01, "reduction": "sum"},
    *({"distillation": each} for each in distillations),
    {"cross_entropy": 0, "distillation": distillations[1]},
    {"cross_entropy": 0.5, "z_loss": 0.02, "reduction": "sum", "distillation": distillations[3]},
]


def with_rest(log_probabilities, ids):
    """Log-probabilities of `ids` and of all others together."""
    kept = log_probabilities.gather(1, ids)
    others = torch.ones_like(log_probabilities).scatter(1, ids, 0)
    rest = (log_probabilities.exp() * others).sum(1, keepdim=True)
    return torch.cat([kept, rest.log()], dim=1)


def divergence(logits, taught, o):
    student, teacher = logits.log_softmax(1), taught.log_softmax(1)
    if o["top_k"] > 0:
        ids = teacher.topk(o["top_k"]).indices
        student, teacher = with_rest(student, ids), with_rest(teacher, ids)
    temperature = o["temperature"]
    student, teacher = ((x / temperature).log_softmax(1) for x in (student, teacher))
    return temperature**2 * kl_div(student, teacher, reduction="sum", log_target=True)


def run(case):
    h, w = hidden.clone().requires_grad_(), table.clone().requires_grad_()
    counts = targets >= 0
    logits = (h @ w.T)[counts]
    parts = {"cross_entropy": cross_entropy(logits, targets[counts], reduction="sum")}
    weights = {"cross_entropy": case.get("cross_entropy", 1)}
    if "z_loss" in case:
        parts["z"] = logits.logsumexp(1).square().sum()
        weights["z"] = case["z_loss"]
    if "distillation" in case:
        parts["distillation"] = divergence(logits, teacher_logits[counts], case["distillation"])
        weights["distillation"] = case["distillation"]["weight"]
    tokens = counts.sum().item()
    total = sum(weights[name] * part for name, part in parts.items())
    loss = total if case.get("reduction") == "sum" else total / tokens
    loss.backward()
    with torch.no_grad():
        return {
            "options": case,
            "loss": loss.item(),
            "parts": {name: part.item() / tokens for name, part in parts.items()},
            "hidden": (h - LEARNING_RATE * h.grad).flatten().tolist(),
            "table": (w - LEARNING_RATE * w.grad).flatten().tolist(),
        }


if __name__ == "__main__":
    default = pathlib.Path(__file__).parents[2] / "test/golden/losses/vectors.json"
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    out.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "torch": torch.__version__,
        "width": WIDTH,
        "vocabulary": VOCABULARY,
        "learning_rate": LEARNING_RATE,
        "hidden": hidden.flatten().tolist(),
        "table": table.flatten().tolist(),
        "teacher": teacher_logits.log_softmax(1).flatten().tolist(),
        "targets": targets.tolist(),
        "cases": [run(case) for case in cases],
    }
    out.write_text(json.dumps(content) + "\n")
