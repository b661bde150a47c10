"""Log-probabilities of a Hugging Face directory by transformers: ids on stdin, rows of [vocabulary] on stdout (JSON).

Called by transformers_check.ts. torch.compile is turned off there: the quantizers run eagerly.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

directory = sys.argv[1]
ids, text = json.load(sys.stdin)
model = AutoModelForCausalLM.from_pretrained(directory, dtype="auto").eval()
assert next(model.parameters()).dtype == torch.float32
with torch.no_grad():
    log_probs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
tokens = AutoTokenizer.from_pretrained(directory)(text)["input_ids"]
json.dump({"tokens": tokens, "logProbs": log_probs.tolist(), "model": type(model).__name__}, sys.stdout)
