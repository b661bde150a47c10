"""Vectors by PyTorch of what can stand around a linear product: test/layers/graph_oracle.test.ts compares ours.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python graph_vectors.py test/golden/graph/vectors.safetensors

Activation quantizers: codes, scales, and one step of plain gradient descent of H-BitLinear (norm, Hadamard transform,
quantizer, product: BitNet v2, arXiv 2504.18415) with ternary weights. Decoder layers of every norm placement and
feed-forward block, with and without transform: output, gradient of the input, and every weight after one step. All from
the published formulas, straight-through by autograd.
"""
import math
import sys

import torch
from safetensors.torch import save_file

TOKENS, ROWS, COLS, LEARNING_RATE = 5, 6, 96, 0.1
BATCH, LENGTH, WIDTH, HEADS, HEAD_DIM, INNER = 2, 3, 24, 2, 12, 40
SMALLEST, EPSILON, THETA = 1e-5, 1e-5, 500000.0


def absmax(levels):
    def quantize(x):
        largest = x.abs().amax(dim=-1, keepdim=True).clamp_min(SMALLEST)
        return (x * (levels / largest)).round().clamp(-levels - 1, levels), largest / levels

    return quantize


def absmean_int4(x):
    mean = x.double().abs().mean(dim=-1, keepdim=True).float()
    return (x * (math.sqrt(7) / (mean + EPSILON))).round().clamp(-8, 7), mean / math.sqrt(7)


def topk_int8(keep):
    def quantize(x):
        # Stable: of equal magnitudes the first ones stay.
        order = x.abs().sort(dim=-1, descending=True, stable=True).indices
        mask = torch.zeros_like(x).scatter(-1, order[..., : round(keep * x.shape[-1])], 1.0)
        return absmax(127)(x * mask)

    return quantize


QUANTIZERS = {
    "absmax_int8": absmax(127),
    "absmax_int4": absmax(7),
    "absmean_int4": absmean_int4,
    "topk_int8": topk_int8(0.4),
}


def straight_through(values, latent):
    return values.detach() + (latent - latent.detach())


def quantized(x, quantizer):
    if quantizer is None:
        return x
    codes, scale = quantizer(x)
    return straight_through(codes * scale, x)


def ternary(w):
    scale = w.double().abs().mean().float().clamp_min(SMALLEST)
    return straight_through((w * (1 / scale)).round().clamp(-1, 1) * scale, w)


def rms_norm(x, gain):
    return gain * (x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + EPSILON))


def hadamard(x):
    n = x.shape[-1] & -x.shape[-1]
    h = torch.ones(1, 1)
    while h.shape[0] < n:
        h = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), h)
    return (x.reshape(*x.shape[:-1], -1, n) @ h / math.sqrt(n)).reshape(x.shape)


def rotate(x):
    half = HEAD_DIM // 2
    frequencies = THETA ** (-torch.arange(half) / half)
    angle = torch.arange(LENGTH).reshape(LENGTH, 1) * frequencies
    cosine, sine = angle.cos().reshape(LENGTH, 1, half), angle.sin().reshape(LENGTH, 1, half)
    a, b = x.split(half, dim=-1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)


class Layer:
    """A decoder layer: its weights by name, made on first use, and its options."""

    def __init__(self, placement, feed_forward, transform, quantizers, generator):
        self.placement, self.feed_forward, self.transform = placement, feed_forward, transform
        self.weight_quantizer, self.activation_quantizer = quantizers
        self.generator, self.weights = generator, {}

    def weight(self, name, shape, offset=0.0, scale=0.2):
        if name not in self.weights:
            value = offset + scale * torch.randn(shape, generator=self.generator)
            self.weights[name] = value.requires_grad_()
        return self.weights[name]

    def norm(self, x, name):
        return rms_norm(x, self.weight(f"{name}.weight", (x.shape[-1],), offset=1.0))

    def linear(self, x, name, outputs, sub_norm=None):
        if self.placement == "every_linear":
            x = self.norm(x, f"{name}.rms_norm")
        elif self.placement == "sub" and sub_norm:
            x = self.norm(x, sub_norm)
        if sub_norm and self.transform:
            x = hadamard(x)
        w = self.weight(f"{name}.weight", (outputs, x.shape[-1]))
        return quantized(x, self.activation_quantizer) @ self.weight_quantizer(w).T

    def block_norm(self, x, name):
        return x if self.placement == "every_linear" else self.norm(x, name)

    def attention(self, x):
        heads = (BATCH, LENGTH, HEADS, HEAD_DIM)
        q, k, v = (self.linear(x, f"self_attn.{name}_proj", HEADS * HEAD_DIM).reshape(heads) for name in "qkv")
        scores = torch.einsum("bqhd,bkhd->bhqk", rotate(q), rotate(k)) / math.sqrt(HEAD_DIM)
        scores = scores.masked_fill(torch.ones(LENGTH, LENGTH).triu(1).bool(), -math.inf)
        out = torch.einsum("bhqk,bkhd->bqhd", scores.softmax(dim=-1), v).reshape(BATCH, LENGTH, -1)
        return self.linear(out, "self_attn.o_proj", WIDTH, "self_attn.attn_sub_norm")

    def mlp(self, x):
        up = self.linear(x, "mlp.up_proj", INNER)
        inner = up.relu().square()
        if self.feed_forward == "gated":
            inner = self.linear(x, "mlp.gate_proj", INNER).relu().square() * up
        return self.linear(inner, "mlp.down_proj", WIDTH, "mlp.ffn_sub_norm")

    def __call__(self, x):
        x = x + self.attention(self.block_norm(x, "input_layernorm"))
        return x + self.mlp(self.block_norm(x, "post_attention_layernorm"))


FLOAT = (lambda w: w, None)
LAYERS = {
    "pre": ("pre", "gated", False, FLOAT),
    "sub": ("sub", "gated", True, FLOAT),
    "every_linear": ("every_linear", "gated", False, FLOAT),
    "mlp": ("sub", "mlp", False, FLOAT),
    "every_linear_mlp_hadamard": ("every_linear", "mlp", True, FLOAT),
    "quantized": ("every_linear", "mlp", True, (ternary, absmax(7))),
}


def add_quantizers(vectors, generator):
    x = torch.randn(TOKENS, COLS, generator=generator) * torch.linspace(0.1, 30, TOKENS).reshape(TOKENS, 1)
    # A row of zeros, and magnitudes that occur several times.
    x[1] = 0
    x[3] = (x[3] / 8).round() * 8
    w = torch.randn(ROWS, COLS, generator=generator) * 0.05
    gain = 1 + 0.1 * torch.randn(COLS, generator=generator)
    dy = torch.randn(TOKENS, ROWS, generator=generator)
    vectors.update(x=x, w=w, gain=gain, dy=dy)
    for name, quantizer in QUANTIZERS.items():
        vectors[f"{name}.codes"], scale = quantizer(x)
        vectors[f"{name}.scales"] = scale.reshape(TOKENS)
        inputs, gains, latent = (each.clone().requires_grad_() for each in (x, gain, w))
        y = quantized(hadamard(rms_norm(inputs, gains)), quantizer) @ ternary(latent).T
        (y * dy).sum().backward()
        vectors[f"{name}.y"], vectors[f"{name}.dx"] = y.detach(), inputs.grad
        vectors[f"{name}.gain"] = (gains - LEARNING_RATE * gains.grad).detach()
        vectors[f"{name}.w"] = (latent - LEARNING_RATE * latent.grad).detach()


def add_layers(vectors, generator):
    hidden = torch.randn(BATCH, LENGTH, WIDTH, generator=generator)
    upstream = torch.randn(BATCH, LENGTH, WIDTH, generator=generator)
    vectors.update(hidden=hidden, upstream=upstream)
    for name, options in LAYERS.items():
        layer = Layer(*options, generator)
        inputs = hidden.clone().requires_grad_()
        y = layer(inputs)
        (y * upstream).sum().backward()
        vectors[f"{name}.y"], vectors[f"{name}.dx"] = y.detach(), inputs.grad
        for key, weight in layer.weights.items():
            vectors[f"{name}/{key}"] = weight.detach()
            vectors[f"{name}/{key}.after"] = (weight - LEARNING_RATE * weight.grad).detach()


def main(path):
    vectors = {}
    add_quantizers(vectors, torch.Generator().manual_seed(20261201))
    add_layers(vectors, torch.Generator().manual_seed(15))
    save_file({name: tensor.contiguous() for name, tensor in vectors.items()}, path)


main(sys.argv[1])
