"""Saves a Hugging Face directory again by transformers, as every fine-tuning ends, and scores ids with what was saved.

    resave.py CHECKPOINT RESAVED < ids.json        [[id, ...], ...]; prints the summed log-probabilities of each list

Called by resaved_check.ts. torch.compile is turned off there: the quantizers run eagerly.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM

source, target = sys.argv[1:]
AutoModelForCausalLM.from_pretrained(source).save_pretrained(target)
model = AutoModelForCausalLM.from_pretrained(target).eval()
sums = []
with torch.no_grad():
    for ids in json.load(sys.stdin):
        log_probs = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        sums.append(log_probs[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].sum().item())
json.dump(sums, sys.stdout)
