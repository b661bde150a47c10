"""What lm-evaluation-harness asks and scores on local documents, with its own task files. Called by lm_eval_check.ts.

stdin (JSON): data (folder), tasks, include_path (folder of more task files), limit, resamples (of the bootstrap), out
(file for the list of outputs), and
  model    Hugging Face directory, run by transformers in float32, `batch_size` requests together; or
  served   address of a completions server (ends in /v1) and `name`, asked by `local-completions` with the tokens of
           `tokenizer` and `max_length` positions; or
  answers  texts: a model that answers by hashing its input (see `unit`), for which `tokenizer` formats chats
  runs     a list of num_fewshot, system_instruction, apply_chat_template, fewshot_as_multiturn, gen_kwargs, as
           simple_evaluate takes them

Documents of a data set come from <data>/<name>/<configuration>/<split>.jsonl, or <data>/<name>/<split>.jsonl.
"""
import collections
import functools
import glob
import hashlib
import json
import logging
import os
import subprocess
import sys

os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
# The bootstrap gives the same with a pool of processes, which takes longer to start than these few resamples.
os.environ.setdefault("DISABLE_MULTIPROC", "1")
request = json.load(sys.stdin)

import datasets
import evaluate as hf_evaluate
import numpy as np

datasets.disable_progress_bars()
load_json = datasets.load_dataset


@functools.cache
def local_dataset(path, name):
    base = os.path.join(request["data"], path.split("/")[-1])
    folder = os.path.join(base, name) if name and os.path.isdir(os.path.join(base, name)) else base
    files = {os.path.basename(file)[:-6]: file for file in glob.glob(os.path.join(folder, "*.jsonl"))}
    return load_json("json", data_files=files, cache_dir=os.path.join(request["data"], ".cache"))


datasets.load_dataset = lambda path, name=None, **_: local_dataset(path, name)


class CodeEval:
    """The metric of that name, which is downloaded otherwise: pass@1 of one candidate."""

    def compute(self, references, predictions, k):
        passed = 0
        for test, (candidate,) in zip(references, predictions):
            try:
                passed += subprocess.run([sys.executable, "-c", f"{candidate}\n{test}"], capture_output=True, timeout=3).returncode == 0
            except subprocess.TimeoutExpired:
                pass
        return {f"pass@{n}": passed / len(references) for n in k}, {}


load_metric = hf_evaluate.load
hf_evaluate.load = lambda name, *args, **kwargs: CodeEval() if name == "code_eval" else load_metric(name, *args, **kwargs)
os.environ["HF_ALLOW_CODE_EVAL"] = "1"

import lm_eval
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

logging.disable(logging.WARNING)


def unit(text):
    """Six bytes of the hash as a number in [0, 1), and the seventh. BOS does not count: the tokenizer may add it."""
    digest = hashlib.sha256(text.replace(model.tokenizer.bos_token, "").encode("utf-8")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48, digest[6]


class HashingLM(LM):
    def __init__(self):
        super().__init__()
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(request["tokenizer"])

    def loglikelihood(self, requests):
        answers = []
        for context, continuation in (r.args for r in requests):
            share, byte = unit(context + continuation)
            answers.append((-20 * share, byte < 64))
        return answers

    def loglikelihood_rolling(self, requests):
        return [-20 * unit(r.args[0])[0] for r in requests]

    def generate_until(self, requests):
        answers = request["answers"]
        texts = []
        asked = collections.Counter()
        for r in requests:
            context, settings = r.args
            # A request that is sampled again gets another answer.
            repeat = asked[id(r)] if settings.get("do_sample") else 0
            asked[id(r)] += 1
            text = answers[int(unit(context + str(repeat or ""))[0] * len(answers))]
            for stop in settings["until"]:
                text = text.split(stop)[0]
            texts.append(text)
        return texts

    @property
    def tokenizer_name(self):
        return "hashing"

    def chat_template(self, chat_template=False):
        return self.tokenizer.chat_template

    def apply_chat_template(self, chat_history, add_generation_prompt=True):
        return self.tokenizer.apply_chat_template(
            chat_history,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt,
        )


def transformers_model():
    from lm_eval.models.huggingface import HFLM

    class RecordingHFLM(HFLM):
        """Keeps, for each prompt (ids), the tokens that it generates: id, log-probability, the second best and its own."""

        generated = {}

        def _model_generate(self, context, max_length, stop, **kwargs):
            out = super()._model_generate(
                context, max_length, stop, output_scores=True, return_dict_in_generate=True, **kwargs
            )
            for row, (ids, mask) in enumerate(zip(context.tolist(), kwargs["attention_mask"].tolist())):
                written = out.sequences[row, context.shape[1] :].tolist()
                tokens = []
                for step, scores in enumerate(out.scores):
                    log_probs = scores[row].log_softmax(-1)
                    second = next(int(other) for other in log_probs.topk(2).indices if other != written[step])
                    tokens.append([written[step], log_probs[written[step]].item(), second, log_probs[second].item()])
                    text = self.tokenizer.decode(written[: step + 1], skip_special_tokens=False)
                    if any(end in text for end in stop):
                        break
                self.generated[tuple(id for id, kept in zip(ids, mask) if kept)] = tokens
            return out.sequences

        def generated_tokens(self, context):
            ids = tuple(self.tok_encode(context))
            prompt = next((ids[start:] for start in range(len(ids)) if ids[start:] in self.generated), ())
            return {"prompt": prompt, "tokens": self.generated.get(prompt, [])}

    return RecordingHFLM(
        pretrained=request["model"], dtype="float32", device="cpu", batch_size=request.get("batch_size", 1)
    )


def served_model():
    from lm_eval.models.openai_completions import LocalCompletionsAPI

    return LocalCompletionsAPI(
        model=request["name"],
        base_url=f"{request['served']}/completions",
        tokenizer=request["tokenizer"],
        tokenizer_backend="huggingface",
        tokenized_requests=True,
        num_concurrent=4,
        # As its Hugging Face models do: special tokens where the tokenizer adds them.
        add_bos_token=True,
        # lm-evaluation-harness keeps one position for the token that it has to ask for.
        max_length=request["max_length"] + 1,
    )


if request.get("model"):
    model = transformers_model()
else:
    model = served_model() if request.get("served") else HashingLM()


def plain(value):
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)


kept = ["doc_id", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"]
entries = ["results", "group_subtasks", "n-shot", "higher_is_better", "versions", "n-samples", "configs"]


def kept_samples(samples):
    def generated(sample):
        first = sample["arguments"][0]
        if not request.get("model") or len(first) < 2 or not isinstance(first[1], dict):
            return {}
        return {"generated": model.generated_tokens(first[0])}

    return [
        {
            **{key: sample[key] for key in kept},
            **{name: sample[name] for name in sample["metrics"]},
            **generated(sample),
        }
        for sample in samples
    ]


task_manager = TaskManager(include_path=request["include_path"])
outputs = []
for options in request["runs"]:
    result = lm_eval.simple_evaluate(
        model=model,
        tasks=request["tasks"],
        task_manager=task_manager,
        limit=request["limit"],
        bootstrap_iters=request["resamples"],
        confirm_run_unsafe_code=True,
        **{"fewshot_as_multiturn": False, **options},
    )
    outputs.append(
        {
            **{name: result[name] for name in entries},
            "table": lm_eval.utils.make_table(result),
            "samples": {task: kept_samples(samples) for task, samples in result["samples"].items()},
        }
    )
with open(request["out"], "w") as file:
    json.dump(outputs, file, default=plain)
