"""Checks our GGUF files with the `gguf` package of llama.cpp's authors, an independent reader.

    python3 -m venv venv && venv/bin/pip install gguf numpy
    venv/bin/python gguf_check.py golden test/golden/gguf/blocks.json
        writes blocks packed by gguf.quants, which test/export/pack.test.ts compares with ours
    venv/bin/python gguf_check.py k_quants test/golden/gguf/k_quants.json
        writes random blocks of K-quants, Q5_0 and Q4_0 and their values by gguf.quants, which
        test/gguf/k_quants.test.ts and test/native/inference/k_quants.test.ts compare with ours
    venv/bin/python gguf_check.py few_levels test/golden/gguf/few_levels.json
        writes levels as Q1_0, PQ2_0, PTQ1_0 and STQ1_0, packed here from the descriptions of their layouts: the package
        does not know them; test/gguf/few_levels.test.ts and its neighbour under test/native read them
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
    def q5_k(d, dmin):
        return d + dmin + rng.bytes(172)

    # A row of 256 values: 8 blocks of 32 with one scale.
    def of_32(d, rest):
        return b"".join(d + rng.bytes(rest) for _ in range(8))

    blocks = {
        "Q6_K": [q6_k(half(1e-4, 1e-2)), q6_k(half(-1e-2, -1e-4)), q6_k(zero), q6_k(largest), q6_k(smallest)],
        "Q4_K": [
            q4_k(half(1e-4, 1e-2), half(1e-4, 1e-2)),
            q4_k(half(-1e-2, -1e-4), half(1e-4, 1e-2)),
            q4_k(zero, half(1e-4, 1e-2)),
            q4_k(largest, largest),
            q4_k(smallest, half(1e-4, 1e-2)),
        ],
        "Q5_K": [
            q5_k(half(1e-4, 1e-2), half(1e-4, 1e-2)),
            q5_k(half(-1e-2, -1e-4), half(1e-4, 1e-2)),
            q5_k(zero, half(1e-4, 1e-2)),
            q5_k(largest, largest),
            q5_k(smallest, half(1e-4, 1e-2)),
        ],
    }
    scales = [half(1e-4, 1e-2), half(-1e-2, -1e-4), zero, largest, smallest]
    blocks["Q5_0"] = [of_32(d, 20) for d in scales]
    blocks["Q4_0"] = [of_32(d, 16) for d in scales]
    # With a minimum after the scale; the largest of both is infinite.
    minimums = [half(-1e-2, 1e-2) for _ in scales]
    for name, rest in (("Q5_1", 20), ("Q4_1", 16)):
        blocks[name] = [of_32(d + m, rest) for d, m in zip(scales, minimums)]
    fixture = {}
    for name, rows in blocks.items():
        packed = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1)
        values = dequantize(packed, T[name])
        assert values.dtype == np.float32 and np.isfinite(values).all()
        fixture[name] = {"bytes": packed.tobytes().hex(), "values": values.astype("<f4").tobytes().hex()}
    with open(path, "w") as file:
        json.dump(fixture, file)
        file.write("\n")


# STQ1_0: what a group of four is by (sign << 4) | slot, two bits a lane, the first one lowest: 0, 1, 2 are -1, 0, +1.
# As published with llama.cpp #22836.
STQ1_0_GROUPS = bytes.fromhex(
    "a9 89 29 09 a6 86 26 06 9a 92 1a 12 6a 62 4a 42 01 21 81 a1 04 24 84 a4 10 18 90 98 40 48 60 68"
)


def few_levels(path):
    rng = np.random.default_rng(20261201)
    rows, cols = 5, 256

    def q1_0(d):
        levels = rng.choice([-1, 1], 128)
        return levels, d + np.packbits(levels > 0, bitorder="little").tobytes()

    def pq2_0(d):
        levels = rng.integers(-1, 3, 128)
        four = (levels + 1).reshape(32, 4)
        return levels, d + (four @ [1, 4, 16, 64]).astype(np.uint8).tobytes()

    def ptq1_0(d):
        levels = rng.integers(-1, 2, 128)
        packed = b""
        for first, count, digits in ((0, 16, 5), (80, 8, 5), (120, 2, 4)):
            of_run = (levels[first : first + count * digits] + 1).reshape(digits, count)
            numbers = [sum(int(digit) * 3 ** (4 - n) for n, digit in enumerate(column)) for column in of_run.T]
            packed += bytes(-(-number * 256 // 243) for number in numbers)
        return levels, packed + d

    def stq1_0(d):
        slots, signs = rng.integers(0, 16, 64), rng.integers(0, 2, 64)
        slots[:32], signs[:32] = np.arange(32) % 16, np.arange(32) // 16
        levels = np.zeros((4, 4, 16), int)  # chunk of 64, lane, group of the chunk
        for group, (slot, sign) in enumerate(zip(slots, signs)):
            lanes = STQ1_0_GROUPS[(sign << 4) | slot]
            for lane in range(4):
                levels[group // 16, lane, group % 16] = (lanes >> (2 * lane) & 3) - 1
        nibbles = (slots[0::2] | slots[1::2] << 4).astype(np.uint8).tobytes()
        return levels.reshape(-1), nibbles + np.packbits(signs, bitorder="little").tobytes() + d

    fixture = {}
    for name, pack, block in (("Q1_0", q1_0, 128), ("PQ2_0", pq2_0, 128), ("PTQ1_0", ptq1_0, 128), ("STQ1_0", stq1_0, 256)):
        scales = np.float16(rng.uniform(0.01, 0.1, rows * cols // block) * np.tile([1, -1], rows)[: rows * cols // block])
        blocks = [pack(d.tobytes()) for d in scales]
        fixture[name] = {
            "bytes": b"".join(packed for _, packed in blocks).hex(),
            "levels": "".join("-0+2"[level + 1] for levels, _ in blocks for level in levels),
            "scales": [float(d) for d in scales],
        }
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
    commands = {"golden": golden, "k_quants": k_quants, "few_levels": few_levels, "read": read, "compare": compare}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
