"""Vectors of stages, straight-through variants and corrections by PyTorch, from their published formulas:
test/training/staging/oracle.test.ts and test/training/corrections/oracle.test.ts compare ours.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python staging_vectors.py test/golden/staging/vectors.safetensors

Of each case one step of plain gradient descent of a linear layer between activations and the upstream gradient `dy`
(loss = sum(y * dy)), gradients by autograd. Weight scales are float16, per tensor or per row.
"""
import sys

import torch
from safetensors.torch import save_file

TOKENS, ROWS, COLS, LEARNING_RATE = 4, 6, 32, 0.01
SMALLEST = 1e-5


def mean_scale(w, by_row):
    mean = w.abs().mean(dim=-1, keepdim=True) if by_row else w.abs().mean().reshape(1, 1)
    return mean.clamp_min(SMALLEST)


def ternary(w, by_row):
    """BitNet b1.58's weights, dequantized; no gradient."""
    scale = mean_scale(w.detach(), by_row)
    return (w.detach() * (1 / scale)).round().clamp(-1, 1) * scale.half().float()


def int8(x):
    largest = x.detach().abs().amax(dim=-1, keepdim=True).clamp_min(SMALLEST)
    return (x.detach() * (127 / largest)).round().clamp(-128, 127) * (largest / 127)


def straight_through(values, latent):
    return latent + (values - latent).detach()


# Weights that multiply, of latent ones; and the same of activations.


def partly(quantize, share):
    """x + lambda * (quantized(x) - x).detach() of Hugging Face's page."""
    return lambda x: x + share * (quantize(x) - x).detach()


def nine_levels(by_row):
    def values(w):
        scale = mean_scale(w.detach(), by_row).half().float()
        return straight_through((w.detach() * (4 / scale)).round().clamp(-4, 4) / 4 * scale, w)

    return values


def hestia(by_row, pressure, temperature):
    """ThermoQuantizer.forward of hestia2026/Hestia: softmax over the codebook, scale and codes with gradients."""
    codebook = torch.tensor([-1.0, 0.0, 1.0])

    def values(w):
        scales = 1 / mean_scale(w, by_row)
        logits = -((w * scales).unsqueeze(-1) - codebook).pow(2)
        prob = torch.softmax(logits / (temperature + 1e-6), dim=-1)
        soft = torch.sum(prob * codebook, dim=-1) / scales
        return soft if pressure == 1 else torch.lerp(w, soft, pressure)

    return values


def arenas(by_row, share):
    """linear(x, NMQuant(w)) + eps * linear(x, w) of Sherry's Arenas, as one weight."""
    return lambda w: straight_through(ternary(w, by_row), w) + share * w


def clipped(by_row):
    """Round with a straight-through gradient, then clamp with its own: 0 outside the levels."""

    def values(w):
        inside = (w.detach() * (1 / mean_scale(w.detach(), by_row))).round().abs() <= 1
        return straight_through(ternary(w, by_row), torch.where(inside, w, w.detach()))

    return values


def trust(by_row, threshold):
    """TrustQuantizer of IST-DASLab/QuEST around another grid; std over the weights of a scale."""

    def values(w):
        q = ternary(w, by_row)
        mean_square = w.detach().pow(2)
        mean_square = mean_square.mean(dim=-1, keepdim=True) if by_row else mean_square.mean()
        mask = ((q - w.detach()).abs() <= threshold * mean_square.sqrt()).float()
        return straight_through(q, w * mask)

    return values


def cases():
    for by_row, name in ((False, "tensor"), (True, "row")):
        yield f"lambda.{name}", partly(lambda w, by_row=by_row: ternary(w, by_row), 0.3), partly(int8, 0.3)
        yield f"levels.{name}", nine_levels(by_row), partly(int8, 1)
        yield f"hestia_pressed.{name}", hestia(by_row, 0.4, 0.35088), partly(int8, 1)
        yield f"hestia_soft.{name}", hestia(by_row, 1, 0.1), partly(int8, 1)
        yield f"arenas.{name}", arenas(by_row, 0.6), partly(int8, 1)
        yield f"clipped.{name}", clipped(by_row), partly(int8, 1)
        yield f"trust.{name}", trust(by_row, 0.612), partly(int8, 1)


# Corrections of weights after an update.


def cage(w, by_row, learning_rate, strength):
    return w - learning_rate * strength * (w - ternary(w, by_row))


def winq(w, by_row, pull):
    """ReinitializeCallback of facebookresearch/WinQ; its alpha is 1 - pull."""
    alpha = 1 - pull
    return w * alpha + ternary(w, by_row) * (1 - alpha)


def dqt(w, before, random, by_row):
    """stochastic_rounding_ternary of KYuuto1006/DQT, with the largest magnitude before the update."""
    largest = before.abs().amax(dim=-1, keepdim=True) if by_row else before.abs().max()
    x = (w / largest).clamp(-1, 1)
    fraction = x - x.floor()
    inside = (x > -1) & (x < 1)
    return torch.where(inside & (random < fraction), x.ceil(), x.floor()) * largest


def main(path):
    generator = torch.Generator().manual_seed(20261201)
    w = torch.randn(ROWS, COLS, generator=generator) * 0.05
    w *= torch.linspace(0.3, 3, ROWS).reshape(ROWS, 1)
    x = torch.randn(TOKENS, COLS, generator=generator)
    dy = torch.randn(TOKENS, ROWS, generator=generator)
    vectors = {"w": w, "x": x, "dy": dy}
    for name, weight_values, input_values in cases():
        latent = w.clone().requires_grad_()
        inputs = x.clone().requires_grad_()
        y = input_values(inputs) @ weight_values(latent).T
        (y * dy).sum().backward()
        vectors[f"{name}.y"] = y.detach()
        vectors[f"{name}.dx"] = inputs.grad
        vectors[f"{name}.dw"] = latent.grad
        vectors[f"{name}.after"] = (latent - LEARNING_RATE * latent.grad).detach()
    update = 0.02 * torch.randn(ROWS, COLS, generator=generator)
    vectors["random"] = torch.rand(ROWS, COLS, generator=generator)
    for by_row, name in ((False, "tensor"), (True, "row")):
        vectors[f"cage.{name}"] = cage(w, by_row, 0.002, 10)
        vectors[f"winq.{name}"] = winq(w, by_row, 0.1)
        before = ternary(w, by_row)
        vectors[f"dqt.{name}.before"] = before
        vectors[f"dqt.{name}.updated"] = before + update
        vectors[f"dqt.{name}"] = dqt(before + update, before, vectors["random"], by_row)
    save_file({name: tensor.detach().contiguous() for name, tensor in vectors.items()}, path)


main(sys.argv[1])
