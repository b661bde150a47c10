"""Tiny random models of each family by transformers, as it saves them, and their logits: test/checkpoint/families.test.ts
compares ours.

    python3 -m venv venv && venv/bin/pip install torch transformers safetensors
    venv/bin/python family_vectors.py test/golden/families

A folder for each model (config.json and model.safetensors by `save_pretrained`), and vectors.safetensors with the ids and,
by the model's name, the logits of every position.
"""
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file

SHAPE = dict(
    vocab_size=40,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=96,
)
LENGTH = 40


def rope(kind, **keys):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, **keys}}


LLAMA3 = rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
GEMMA_ROPE = {
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
        "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
    }
}
GEMMA = dict(
    head_dim=8,
    query_pre_attn_scalar=8,
    num_hidden_layers=3,
    sliding_window=7,
    layer_types=["sliding_attention", "full_attention", "sliding_attention"],
)
YARN = rope("yarn", factor=4.0, original_max_position_embeddings=16)
MODELS = {
    "llama": (transformers.LlamaConfig, dict(tie_word_embeddings=True)),
    "llama_biases": (transformers.LlamaConfig, dict(attention_bias=True, mlp_bias=True, head_dim=12)),
    "llama_linear": (transformers.LlamaConfig, rope("linear", factor=4.0)),
    "llama_llama3": (transformers.LlamaConfig, LLAMA3),
    "llama_yarn": (transformers.LlamaConfig, YARN),
    "qwen2": (transformers.Qwen2Config, dict(tie_word_embeddings=True)),
    "qwen3": (transformers.Qwen3Config, dict(head_dim=12)),
    "gemma3": (transformers.Gemma3TextConfig, {**GEMMA, **GEMMA_ROPE}),
    "qwen3_yarn": (transformers.Qwen3Config, dict(head_dim=8, attention_bias=True, tie_word_embeddings=True, **YARN)),
}


def main(folder):
    generator = torch.Generator().manual_seed(16)
    ids = torch.randint(SHAPE["vocab_size"], (LENGTH,), generator=generator, dtype=torch.int32)
    vectors = {"ids": ids}
    for name, (config_class, keys) in MODELS.items():
        config = config_class(**{**SHAPE, "bos_token_id": None, "eos_token_id": None, **keys})
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                # Gains and biases that say something; matrices large enough that attention chooses.
                offset = 1.0 if "norm" in key and config.model_type != "gemma3_text" else 0.0
                parameter.copy_(offset + 0.25 * torch.randn(parameter.shape, generator=generator))
            vectors[name] = model(ids[None].long()).logits[0].contiguous()
        model.save_pretrained(pathlib.Path(folder) / name)
        (pathlib.Path(folder) / name / "generation_config.json").unlink(missing_ok=True)
    save_file(vectors, pathlib.Path(folder) / "vectors.safetensors")


main(sys.argv[1])
