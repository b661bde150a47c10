"""Vectors of the quantizers by PyTorch, from their published formulas: test/quantizers/oracle.test.ts compares ours.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python quantizer_vectors.py test/golden/quantizers/vectors.safetensors

For each quantizer and scale dtype: codes, scales, and one step of plain gradient descent of a linear layer between int8
activations and the upstream gradient `dy` (y = xq @ wq.T, loss = sum(y * dy)), straight-through by autograd. Those of
BitNet's family have all columns and scale dtypes, the others the first COLS / 2 columns and float16 scales.
"""
import math
import sys

import torch
from safetensors.torch import save_file

TOKENS, ROWS, COLS, LEARNING_RATE = 5, 6, 256, 0.01
SMALLEST = 1e-5


# A quantizer: codes of w [ROWS, COLS], and scales that broadcast with them.


def rounded(scale_of):
    def quantize(w):
        scale = scale_of(w)
        return (w * (1 / scale)).round().clamp(-1, 1), scale

    return quantize


def absmean(w):
    return w.double().abs().mean(dim=-1, keepdim=True).float().clamp_min(SMALLEST)


def per_tensor(w):
    return absmean(w.reshape(1, -1)).expand(ROWS, 1)


def per_row(w):
    return absmean(w)


def per_group(size):
    return lambda w: absmean(w.reshape(ROWS, COLS // size, size)).expand(-1, -1, size).reshape(ROWS, COLS)


def median(w):
    # torch.median: of an even number of values the lower of the two in the middle.
    return w.abs().median().clamp_min(SMALLEST).reshape(1, 1).expand(ROWS, 1)


def stored(scale, dtype):
    return scale.to(dtype).float()


def quantized_activations(x):
    largest = x.abs().amax(dim=-1, keepdim=True).clamp_min(SMALLEST)
    return (x * (127 / largest)).round().clamp(-128, 127) * (largest / 127)


def straight_through(values, latent):
    return values.detach() + (latent - latent.detach())


# Quantizers beyond: of w and learnt tensors, the values and (for Tequila) a bias of the outputs, differentiable; the codes.


def spans(w, per):
    """w as [spans, weights of one scale]."""
    sizes = {"tensor": w.numel(), "row": w.shape[1]}
    return w.reshape(-1, sizes[per] if per in sizes else per)


def mean64(w):
    return w.double().mean(dim=-1, keepdim=True).float()


def measured(codes_and_scale):
    """Straight-through: of a function from spans to codes and scales."""

    def make(per):
        def quantize(w):
            codes, scale = codes_and_scale(spans(w.detach(), per))
            values = (codes * stored(scale, torch.float16)).reshape(w.shape)
            return straight_through(values, w), None, codes.reshape(w.shape)

        return quantize, lambda w: []

    return make


def twn(w):
    limit = 0.7 * mean64(w.abs())
    kept = w.abs() > limit
    scale = (w.abs().double() * kept).sum(-1, keepdim=True) / kept.sum(-1, keepdim=True).clamp_min(1)
    return torch.where(kept, w.sign(), 0), scale.float().clamp_min(SMALLEST)


def sherry(w):
    fours = w.abs().reshape(-1, 4)
    # The last of equal ones.
    smallest = 3 - fours.flip(1).argmin(dim=1, keepdim=True)
    kept = torch.ones_like(fours).scatter_(1, smallest, 0).reshape(w.shape)
    scale = ((w.abs() * kept).double().sum(-1, keepdim=True) / (w.shape[1] * 3 / 4)).float().clamp_min(SMALLEST)
    return torch.where(w < 0, -1.0, 1.0) * kept, scale


def binary(centred):
    def signs(w):
        centre = mean64(w) if centred else 0
        return torch.where(w >= centre, 1.0, -1.0), mean64(w.abs()).clamp_min(SMALLEST)

    return signs


def integer(bits):
    def quantize(w):
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        scale = (w.abs().amax(dim=-1, keepdim=True) / ((high - low) / 2)).clamp_min(SMALLEST)
        return (w * (1 / scale)).round().clamp(low, high), scale

    return quantize


def used_step(step):
    """At least 1e-5; the gradient passes."""
    return step + (step.clamp_min(SMALLEST) - step).detach()


def lsq(low, high):
    """arXiv 1902.08153: the gradients follow by autograd from round and clip."""

    def make(per):
        def quantize(w, step):
            factor = 1 / math.sqrt(w.numel() * high)
            a = used_step(step * factor + (step - step * factor).detach())
            clipped = (spans(w, per) / a).clamp(low, high)
            codes = clipped.round().detach()
            values = (clipped + (codes - clipped).detach()) * a
            rounded = codes * stored(a.detach(), torch.float16)
            values = values + (rounded - values).detach()
            return values.reshape(w.shape), None, codes.reshape(w.shape)

        return quantize, lambda w: [2 * mean64(spans(w, per).abs()) / math.sqrt(high)]

    return make


def dlt():
    step_quantizer, initial = lsq(-1, 1)("row")

    def quantize(w, step, shift):
        values, _, codes = step_quantizer(w, step)
        return values + shift, None, codes

    # Shifts start from 0; others tell more.
    return quantize, lambda w: [*initial(w), torch.linspace(-0.02, 0.03, w.shape[0]).reshape(-1, 1)]


class Seq(torch.autograd.Function):
    """ParetoQ's StretchedElasticQuant for ternary weights, arXiv 2502.02631."""

    @staticmethod
    def forward(ctx, w, step):
        a = step.clamp_min(SMALLEST)
        ctx.save_for_backward(w, a)
        codes = (1.5 * (w / a).clamp(-0.99, 0.99)).round()
        return codes * stored(a / 1.5, torch.float16), codes

    @staticmethod
    def backward(ctx, dy, _):
        w, a = ctx.saved_tensors
        ratio = w / a
        small, big = (ratio < -0.99).float(), (ratio > 0.99).float()
        middle = 1 - small - big
        slope = big - small + middle * ((1.5 * ratio.clamp(-0.99, 0.99)).round() / 1.5 - ratio)
        return middle * dy, (slope * dy).sum(-1, keepdim=True) / math.sqrt(w.numel())


def seq():
    def quantize(w, step):
        values, codes = Seq.apply(w, step)
        return values, None, codes.detach()

    return quantize, lambda w: [w.abs().amax(dim=-1, keepdim=True)]


def tequila(weight):
    """AngelSlim's UltraQuantV2, arXiv 2509.23809."""

    def quantize(w):
        codes, scale = rounded(lambda w: absmean(w.reshape(1, -1)).expand(w.shape[0], 1))(w.detach())
        bias = weight * (w * (codes == 0)).sum(dim=1)
        return straight_through(codes * stored(scale, torch.float16), w), bias, codes

    return quantize, lambda w: []


def step_of(quantizer, name, w, x, dy):
    quantize, initial = quantizer
    latent, inputs = w.clone().requires_grad_(), x.clone().requires_grad_()
    learnt = [value.clone().requires_grad_() for value in initial(w)]
    values, bias, codes = quantize(latent, *learnt)
    y = straight_through(quantized_activations(inputs), inputs) @ values.T
    if bias is not None:
        y = y + bias
    (y * dy).sum().backward()
    after = lambda tensor: (tensor - LEARNING_RATE * tensor.grad).detach()
    vectors = {"codes": codes, "values": values.detach(), "y": y.detach(), "dx": inputs.grad, "after": after(latent)}
    for i, tensor in enumerate(learnt):
        vectors[f"learnt{i}"], vectors[f"learnt{i}_after"] = tensor.detach().flatten(), after(tensor).flatten()
    return {f"{name}.{key}": value for key, value in vectors.items()}


def main(path):
    generator = torch.Generator().manual_seed(20261130)
    # Rows at scales of their own, one of zeros, and two outliers: what the granularities see differently.
    w = torch.randn(ROWS, COLS, generator=generator) * 0.05
    w *= torch.linspace(0.2, 4, ROWS).reshape(ROWS, 1)
    w[2] = 0
    w[3, 7], w[5, 200] = 3.0, -2.0
    x = torch.randn(TOKENS, COLS, generator=generator)
    dy = torch.randn(TOKENS, ROWS, generator=generator)
    vectors = {"w": w, "x": x, "dy": dy}
    quantizers = {
        "absmean_ternary": rounded(per_tensor),
        "absmean_ternary_row": rounded(per_row),
        "absmean_ternary_group_64": rounded(per_group(64)),
        "absmean_ternary_group_128": rounded(per_group(128)),
        "absmean_ternary_group_256": rounded(per_group(256)),
        "absmedian_ternary": rounded(median),
    }
    dtypes = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}
    for name, quantize in quantizers.items():
        codes, scale = quantize(w)
        vectors[f"{name}.codes"] = codes
        for dtype_name, dtype in dtypes.items():
            vectors[f"{name}.{dtype_name}.values"] = codes * stored(scale, dtype)
        latent = w.clone().requires_grad_()
        inputs = x.clone().requires_grad_()
        values = codes * stored(scale, torch.float16)
        y = straight_through(quantized_activations(inputs), inputs) @ straight_through(values, latent).T
        (y * dy).sum().backward()
        vectors[f"{name}.y"] = y.detach()
        vectors[f"{name}.dx"] = inputs.grad
        vectors[f"{name}.after"] = (latent - LEARNING_RATE * latent.grad).detach()
    half = {"w": w[:, : COLS // 2], "x": x[:, : COLS // 2], "dy": dy}
    others = {
        "twn_ternary": measured(twn)("tensor"),
        "twn_ternary_row": measured(twn)("row"),
        "twn_ternary_group_64": measured(twn)(64),
        "lsq_ternary": lsq(-1, 1)("tensor"),
        "lsq_ternary_row": lsq(-1, 1)("row"),
        "lsq_ternary_group_64": lsq(-1, 1)(64),
        "seq_ternary": seq(),
        "dlt_ternary": dlt(),
        "tequila_ternary": tequila(0.05),
        "sherry_ternary": measured(sherry)("tensor"),
        "sherry_ternary_group_64": measured(sherry)(64),
        "absmean_binary": measured(binary(True))("tensor"),
        "absmean_binary_row_signs": measured(binary(False))("row"),
        "int2": measured(integer(2))("row"),
        "int4_group_64": measured(integer(4))(64),
        "int8_tensor": measured(integer(8))("tensor"),
        "int4_learnt": lsq(-8, 7)("row"),
    }
    for name, quantizer in others.items():
        vectors.update(step_of(quantizer, name, **half))
    save_file({name: tensor.contiguous() for name, tensor in vectors.items()}, path)


main(sys.argv[1])
