"""What transformers makes of GGUF files and folders: a loss, or why it refuses.

    inspect_verdicts.py < questions.json        {"paths": [...], "ids": [[id, ...], ...]}; prints [{loss} or {refusal}, ...]

Called by inspect_verdicts.ts.
"""
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, logging

logging.set_verbosity_error()
question = json.load(sys.stdin)


def load(path):
    if path.is_dir():
        return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    return AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)


def loss(path):
    model = load(path).eval()
    total = count = 0
    with torch.no_grad():
        for ids in question["ids"]:
            log_probs = model(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
            total -= log_probs[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].sum().item()
            count += len(ids) - 1
    return total / count


answers = []
for name in question["paths"]:
    try:
        answers.append({"loss": loss(pathlib.Path(name))})
    except Exception as error:  # whatever it says is the answer
        answers.append({"refusal": f"{type(error).__name__}: {error}".strip().split("\n")[0][:200]})
json.dump(answers, sys.stdout)
