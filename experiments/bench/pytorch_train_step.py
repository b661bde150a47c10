"""PyTorch as a contender of the training benchmark: the step of train_step.ts, from the same directory, driven by the
same commands.

    pytorch_train_step.py DIRECTORY [--bf16] [--compile] [--threads N]
"""
import argparse
import contextlib
import json
import resource
import struct
import sys
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("directory")
parser.add_argument("--bf16", action="store_true")
parser.add_argument("--compile", action="store_true")
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()
torch.set_num_threads(options.threads)

config = json.load(open(f"{options.directory}/config.json"))
quantized = config["weight_quantizer"] != "none"
heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
head_dim = config["hidden_size"] // heads
theta = (config.get("rope_parameters") or config)["rope_theta"]


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data[begin:end], dtype=torch.float32).reshape(entry["shape"]).clone()
    return tensors


parameters = {
    name: torch.nn.Parameter(value) for name, value in read_safetensors(f"{options.directory}/model.safetensors").items()
}


def linear(x, w):
    if quantized:
        scale = w.abs().mean().clamp(min=1e-5)
        w = w + ((w * (1 / scale)).round().clamp(-1, 1) * scale - w).detach()
        factor = 127 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5)
        x = x + ((x * factor).round().clamp(-128, 127) / factor - x).detach()
    return F.linear(x, w)


def norm(x, gain):
    return gain * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + config["rms_norm_eps"]))


def rotated(x, cosine, sine):
    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat((-second, first), -1) * sine


def rope(length):
    frequencies = 1 / theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


def loss_of(ids, targets, cosine, sine):
    p = parameters
    batch, length = ids.shape
    h = F.embedding(ids, p["model.embed_tokens.weight"])
    split = lambda x, count: x.view(batch, length, count, head_dim).transpose(1, 2)
    for i in range(config["num_hidden_layers"]):
        weight = lambda name: p[f"model.layers.{i}.{name}.weight"]
        n = norm(h, weight("input_layernorm"))
        q = rotated(split(linear(n, weight("self_attn.q_proj")), heads), cosine, sine)
        k = rotated(split(linear(n, weight("self_attn.k_proj")), kv_heads), cosine, sine)
        v = split(linear(n, weight("self_attn.v_proj")), kv_heads)
        k, v = (x.repeat_interleave(heads // kv_heads, 1) for x in (k, v))
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        out = out.transpose(1, 2).reshape(batch, length, heads * head_dim)
        h = h + linear(norm(out, weight("self_attn.attn_sub_norm")), weight("self_attn.o_proj"))
        n = norm(h, weight("post_attention_layernorm"))
        gated = F.relu(linear(n, weight("mlp.gate_proj"))).square() * linear(n, weight("mlp.up_proj"))
        h = h + linear(norm(gated, weight("mlp.ffn_sub_norm")), weight("mlp.down_proj"))
    logits = F.linear(norm(h, p["model.norm.weight"]), p["model.embed_tokens.weight"])
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


stored = json.load(open(f"{options.directory}/batch.json"))
shape = (stored["batch"], stored["sequence"])
ids, targets = (torch.tensor(stored[name]).reshape(shape) for name in ("ids", "targets"))
cosine, sine = rope(shape[1])
optimizer = torch.optim.AdamW(
    [
        {"params": [v for v in parameters.values() if v.dim() > 1], "weight_decay": 0.1},
        {"params": [v for v in parameters.values() if v.dim() == 1], "weight_decay": 0.0},
    ],
    lr=1e-3,
    betas=(0.9, 0.95),
    eps=1e-8,
    fused=True,
)
compiled = torch.compile(loss_of) if options.compile else loss_of


def step():
    with torch.autocast("cpu", torch.bfloat16) if options.bf16 else contextlib.nullcontext():
        loss = compiled(ids, targets, cosine, sine)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


print(json.dumps({"torch": torch.__version__}), flush=True)
for line in sys.stdin:
    losses, times = [], []
    for _ in range(int(line.split()[1])):
        start = time.perf_counter()
        losses.append(step())
        times.append((time.perf_counter() - start) * 1000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"losses": losses, "ms": times, "peak_rss_mb": peak}), flush=True)
