"""Files quantized by llama.cpp's own quantizer, and the values that ggml and gguf (PyPI) read in them.

    quantized_by_llama_cpp.py LIBRARIES < jobs.json        jobs: [{source, out, twin, type}, ...], type as llama_ftype_name has it
    quantized_by_llama_cpp.py LIBRARIES golden FILE        rows and their bytes, which test/gguf/llama_cpp.test.ts reads

The first is called by quantized_by_llama_cpp.ts. LIBRARIES is the folder of a release's shared libraries (libllama, libggml). Each source is
quantized to `out`, and that by ggml's to_float to `twin`, all of it in F32. Prints for each job the tensors whose values gguf
(PyPI) reads otherwise (null where it does not read a type), or what the quantizer refused.
"""
import ctypes
import json
import pathlib
import sys

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize

folder = pathlib.Path(sys.argv[1])


class QuantizeParams(ctypes.Structure):
    """llama_model_quantize_params of include/llama.h, as of 2026."""

    _fields_ = [
        ("nthread", ctypes.c_int32),
        ("ftype", ctypes.c_int),
        ("output_tensor_type", ctypes.c_int),
        ("token_embedding_type", ctypes.c_int),
        *((name, ctypes.c_bool) for name in ("allow_requantize", "quantize_output_tensor", "only_copy", "pure")),
        *((name, ctypes.c_bool) for name in ("keep_split", "dry_run")),
        *((name, ctypes.c_void_p) for name in ("imatrix", "kv_overrides", "tt_overrides", "prune_layers")),
        ("max_buf_size", ctypes.c_size_t),
    ]


def library(pattern):
    [path] = folder.glob(pattern)
    return ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)


ggml = library("libggml-base.so*")
library("libggml.*so*")
llama = library("libllama.*so*")
llama.llama_model_quantize_default_params.restype = QuantizeParams
llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(QuantizeParams)]
llama.llama_model_quantize.restype = ctypes.c_uint32
llama.llama_ftype_name.restype = ctypes.c_char_p

said = []
LogCallback = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
on_log = LogCallback(lambda level, text, _: said.append(text.decode(errors="replace")) if level >= 4 else None)
llama.llama_log_set(on_log, None)
llama.llama_backend_init()


def default_params():
    params = llama.llama_model_quantize_default_params()
    # A release that lays the struct out otherwise shows here.
    types = (params.output_tensor_type, params.token_embedding_type)
    flags = (params.allow_requantize, params.quantize_output_tensor, params.only_copy, params.pure)
    assert (params.nthread, params.ftype, types[0]) == (0, 7, types[1]) and flags == (False, True, False, False), "layout"
    assert params.imatrix is None and params.prune_layers is None and params.max_buf_size == 8 << 30, "layout"
    return params


def file_types():
    named = {number: llama.llama_ftype_name(number).decode() for number in range(64)}
    return {name: number for number, name in named.items() if not name.startswith("unknown")}


def quantize(source, out, params):
    params.nthread = 2
    said.clear()
    code = llama.llama_model_quantize(source.encode(), out.encode(), ctypes.byref(params))
    return None if code == 0 else " ".join("".join(said).split())


def dequantized(source, out):
    params = default_params()
    params.ftype = params.output_tensor_type = params.token_embedding_type = 0
    params.allow_requantize = params.pure = True
    return quantize(source, out, params)


def read_otherwise(out, twin):
    """Tensors that gguf (PyPI) and ggml read differently; None if the package does not read one of the types."""
    try:
        tensors = GGUFReader(out).tensors
        of_package = {tensor.name: dequantize(tensor.data, tensor.tensor_type).reshape(-1) for tensor in tensors}
    except (ValueError, NotImplementedError):
        return None
    values = {tensor.name: np.asarray(tensor.data).reshape(-1) for tensor in GGUFReader(twin).tensors}
    assert sorted(values) == sorted(of_package)
    as_bits = lambda array: array.astype("<f4").view(np.uint32)
    return [name for name in values if not np.array_equal(as_bits(values[name]), as_bits(of_package[name]))]


# Numbers of ggml_type.
READ = {"Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14, "TQ1_0": 34, "TQ2_0": 35}
READ |= {"Q1_0": 41, "Q2_0": 42}


def golden(path):
    rng = np.random.default_rng(20261202)
    scale = np.float32(np.float16(0.0371))
    ternary = rng.integers(-1, 2, 256).astype(np.float32) * scale
    rows = np.stack([rng.normal(0, 0.05, 256).astype(np.float32), ternary])
    pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    fixture = {"rows": rows.astype("<f4").tobytes().hex(), "types": {}}
    for name, number in READ.items():
        packed = np.zeros(4096, np.uint8)
        chunk = (ctypes.c_int64(0), ctypes.c_int64(2), ctypes.c_int64(256), None)
        size = ggml.ggml_quantize_chunk(number, pointer(rows), pointer(packed), *chunk)
        values = np.zeros(512, np.float32)
        # Q4_K is dequantize_row_q4_K.
        dequantize_row = getattr(ggml, f"dequantize_row_{name.replace('TQ', 'tq').replace('Q', 'q')}")
        dequantize_row(pointer(packed), pointer(values), ctypes.c_int64(512))
        fixture["types"][name] = {"bytes": packed[:size].tobytes().hex(), "values": values.astype("<f4").tobytes().hex()}
    with open(path, "w") as file:
        json.dump(fixture, file)
        file.write("\n")


if sys.argv[2:3] == ["golden"]:
    golden(sys.argv[3])
    sys.exit()

types = file_types()
answers = []
for job in json.load(sys.stdin):
    params = default_params()
    params.ftype = types[job["type"]]
    fault = quantize(job["source"], job["out"], params) or dequantized(job["out"], job["twin"])
    answers.append({"fault": fault, "otherwise": None if fault else read_otherwise(job["out"], job["twin"])})
json.dump(answers, sys.stdout)
