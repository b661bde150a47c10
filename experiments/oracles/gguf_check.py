"""Checks our GGUF files with the `gguf` package of llama.cpp's authors, an independent reader.

    python3 -m venv venv && venv/bin/pip install gguf numpy
    venv/bin/python gguf_check.py golden test/golden/gguf/blocks.json
        writes blocks packed by gguf.quants, which test/export/pack.test.ts compares with ours
    venv/bin/python gguf_check.py k_quants test/golden/gguf/k_quants.json
        writes random Q6_K and Q4_K blocks and their values by gguf.quants, which test/quant/k_quants.test.ts and
        test/native/inference/k_quants.test.ts compare with ours
    venv/bin/python gguf_check.py read FILE.gguf
        reads the whole file, dequantizes every tensor and prints what it is; fails on a matrix that is not ternary
    venv/bin/python gguf_check.py compare FILE.gguf OTHER.gguf
        fails unless both files hold the same values (for example tq2_0 and f32 exports of one checkpoint)
"""
import json
import sys

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import GGUFReader
from gguf.quants import dequantize, quantize


def golden(path):
    rng = np.random.default_rng(20260117)
    # One row of three blocks: mixed, all zeros but one, and alternating signs.
    codes = rng.integers(-1, 2, size=768).astype(np.int8)
    codes[256:512] = 0
    codes[511] = -1
    codes[512:] = np.where(np.arange(256) % 2 == 0, 1, -1)
    scale = np.float32(np.float16(0.0371))
    ternary = (codes.astype(np.float32) * scale).reshape(1, -1)
    floats = rng.normal(size=(2, 64)).astype(np.float32)
    floats[0, :32] = 0
    packed = lambda values, kind: quantize(values, kind).tobytes().hex()
    fixture = {
        "ternary": {
            "codes": codes.tolist(),
            "scale": float(scale),
            "TQ1_0": packed(ternary, T.TQ1_0),
            "TQ2_0": packed(ternary, T.TQ2_0),
        },
        "floats": {
            "rows": 2,
            "values": [float(v) for v in floats.ravel()],
            "Q8_0": packed(floats, T.Q8_0),
            "F16": floats.astype("<f2").tobytes().hex(),
            "BF16": packed(floats, T.BF16),
        },
    }
    with open(path, "w") as file:
        json.dump(fixture, file)
        file.write("\n")


def k_quants(path):
    rng = np.random.default_rng(20261121)

    def half(low, high):
        return np.float16(rng.uniform(low, high)).tobytes()

    # Every code, scale and minimum occurs; both signs of d; a block of d = 0 and one of the largest scales.
    def q6_k(d):
        return rng.bytes(208) + d

    def q4_k(d, dmin):
        return d + dmin + rng.bytes(140)

    zero = np.float16(0).tobytes()
    largest = np.float16(65504).tobytes()
    smallest = np.float16(6e-8).tobytes()
    blocks = {
        "Q6_K": [q6_k(half(1e-4, 1e-2)), q6_k(half(-1e-2, -1e-4)), q6_k(zero), q6_k(largest), q6_k(smallest)],
        "Q4_K": [
            q4_k(half(1e-4, 1e-2), half(1e-4, 1e-2)),
            q4_k(half(-1e-2, -1e-4), half(1e-4, 1e-2)),
            q4_k(zero, half(1e-4, 1e-2)),
            q4_k(largest, largest),
            q4_k(smallest, half(1e-4, 1e-2)),
        ],
    }
    fixture = {}
    for name, rows in blocks.items():
        packed = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1)
        values = dequantize(packed, T[name])
        assert values.dtype == np.float32 and np.isfinite(values).all()
        fixture[name] = {"bytes": packed.tobytes().hex(), "values": values.astype("<f4").tobytes().hex()}
    with open(path, "w") as file:
        json.dump(fixture, file)
        file.write("\n")


def values_of(tensor):
    return dequantize(tensor.data, tensor.tensor_type).reshape(-1)


def read(path):
    reader = GGUFReader(path)
    for field in reader.fields.values():
        contents = field.contents()
        text = f"[{len(contents)}]" if isinstance(contents, list) else repr(contents)
        print(f"{field.name} = {text[:80]}")
    for tensor in reader.tensors:
        values = values_of(tensor)
        assert np.isfinite(values).all(), f"{tensor.name} is not finite"
        kind = tensor.tensor_type.name
        note = ""
        if kind in ("TQ1_0", "TQ2_0"):
            magnitudes = np.unique(np.abs(values))
            assert len(magnitudes) <= 2, f"{tensor.name} is not ternary"
            note = f"scale {magnitudes[-1]:.6g}, {np.mean(values == 0):.1%} zeros"
        print(f"{tensor.name:36} {kind:6} {list(map(int, tensor.shape))} {note}")


def compare(path, other):
    tensors = {tensor.name: tensor for tensor in GGUFReader(other).tensors}
    ours = GGUFReader(path).tensors
    assert sorted(t.name for t in ours) == sorted(tensors), "the files have different tensors"
    for tensor in ours:
        same = np.array_equal(values_of(tensor), values_of(tensors[tensor.name]))
        assert same, f"{tensor.name} differs"
    print(f"{len(ours)} tensors hold the same values")


if __name__ == "__main__":
    commands = {"golden": golden, "k_quants": k_quants, "read": read, "compare": compare}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
