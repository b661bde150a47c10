"""Vectors of the quantizers by PyTorch, from their published formulas: test/quantizers/oracle.test.ts compares ours.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python quantizer_vectors.py test/golden/quantizers/vectors.safetensors

For each quantizer and scale dtype: codes, scales, and one step of plain gradient descent of a linear layer between int8
activations and the upstream gradient `dy` (y = xq @ wq.T, loss = sum(y * dy)), straight-through by autograd.
"""
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
    save_file({name: tensor.contiguous() for name, tensor in vectors.items()}, path)


main(sys.argv[1])
