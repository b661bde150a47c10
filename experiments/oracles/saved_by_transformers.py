"""Small random BitNets saved by transformers itself, in every form that it saves, with their perplexity.

    saved_by_transformers.py OUT < ids.json        ids: [[id, ...], ...] below 256; prints {name: perplexity}

Called by saved_by_transformers.ts. Folders in OUT: latent float32, bfloat16 and sharded weights (online), packed codes, and
what save_pretrained makes of what it has loaded (it refuses to save AutoBitLinear's packed codes).
"""
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, BitNetConfig, BitNetForCausalLM
from transformers.integrations.bitnet import pack_weights

out = pathlib.Path(sys.argv[1])
sequences = json.load(sys.stdin)
torch.manual_seed(3)
config = BitNetConfig(vocab_size=256, hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
                      num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True)
model = BitNetForCausalLM(config)
with torch.no_grad():
    for name, parameter in model.named_parameters():
        parameter.copy_(1 + 0.1 * torch.randn_like(parameter) if "norm" in name else 0.05 * torch.randn_like(parameter))


def section(linear, mode):
    return {"quant_method": "bitnet", "linear_class": linear, "quantization_mode": mode, "modules_to_not_convert": ["lm_head"]}


def name_quantization(folder, quantization):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "quantization_config": quantization}, indent=2))


def perplexity(folder):
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    total = count = 0
    with torch.no_grad():
        for ids in sequences:
            log_probs = loaded(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
            total -= log_probs[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].sum().item()
            count += len(ids) - 1
    return float(torch.tensor(total / count, dtype=torch.float64).exp())


def latent(name, dtype, **options):
    folder = out / name
    model.to(dtype).save_pretrained(folder, **options)
    model.to(torch.float32)
    name_quantization(folder, section("autobitlinear", "online"))


def packed(name, linear):
    """A packed checkpoint, as Microsoft's: written by hand, because transformers packs nothing itself."""
    from safetensors.torch import save_file

    folder = out / name
    model.save_pretrained(folder)
    tensors = {}
    for key, value in model.state_dict().items():
        if key == "lm_head.weight":
            continue
        if "_proj" not in key:
            tensors[key] = value.contiguous()
            continue
        scale = value.abs().mean().clamp(min=1e-5)
        tensors[key] = pack_weights((value / scale).round().clamp(-1, 1))
        tensors[f"{key}_scale"] = (scale if linear == "autobitlinear" else 1 / scale).reshape(1)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    name_quantization(folder, section(linear, "offline"))


def saved_again(name, source):
    AutoModelForCausalLM.from_pretrained(out / source, dtype=torch.float32).save_pretrained(out / name)


latent("latent_f32", torch.float32)
latent("latent_bf16", torch.bfloat16)
latent("latent_sharded", torch.float32, max_shard_size="1MB")
packed("packed_autobitlinear", "autobitlinear")
packed("packed_bitlinear", "bitlinear")
saved_again("latent_saved_again", "latent_bf16")
saved_again("bitlinear_saved_again", "packed_bitlinear")
names = sorted(path.name for path in out.iterdir())
json.dump({name: perplexity(out / name) for name in names}, sys.stdout)
