"""lm-evaluation-harness with transformers, as a contender of the evaluation benchmark (eval_contest.ts).

    python lm_eval_worker.py DIRECTORY float32|bfloat16 THREADS

DIRECTORY is a Hugging Face checkpoint. Each line on stdin is "BATCH_SIZE DATA", DATA a folder with arc_easy/test.jsonl;
it answers with a line of JSON, as eval_worker.ts.
"""
import json
import logging
import os
import resource
import sys
import time

directory, dtype, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
# What the libraries print must not stand between the answers.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import datasets
import torch

torch.set_num_threads(threads)
datasets.disable_progress_bars()
load_json = datasets.load_dataset
documents = None


def local_documents(*_, **__):
    return load_json("json", data_files={split: documents for split in ["train", "validation", "test"]}, cache_dir=os.path.dirname(documents))


datasets.load_dataset = local_documents

import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

logging.disable(logging.WARNING)
model = HFLM(pretrained=directory, device="cpu", batch_size=1)
# transformers casts nothing of a packed model.
model.model.to(getattr(torch, dtype))
tasks = TaskManager()

print("{}", file=answers)
for line in sys.stdin:
    batch_size, data = line.rstrip("\n").split(" ", 1)
    documents = os.path.join(data, "arc_easy", "test.jsonl")
    model.batch_size_per_gpu = int(batch_size)
    start = time.perf_counter()
    results = lm_eval.simple_evaluate(model=model, tasks=["arc_easy"], task_manager=tasks)["results"]["arc_easy"]
    seconds = time.perf_counter() - start
    print(
        json.dumps(
            {
                "seconds": seconds,
                "acc": results["acc,none"],
                "acc_norm": results["acc_norm,none"],
                "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
            }
        ),
        file=answers,
    )
