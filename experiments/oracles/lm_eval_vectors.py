"""Answers of Python and lm-evaluation-harness to small cases, for the tests: writes test/golden/lm_eval/task_vectors.json.

    python3 -m venv venv && venv/bin/pip install lm_eval[ifeval]
    venv/bin/python experiments/oracles/lm_eval_vectors.py
"""
import ast
import json
import pathlib
import re

from lm_eval.api.metrics import (
    aggregate_subtask_metrics,
    bootstrap_stderr,
    exact_match_hf_evaluate,
    perplexity,
    pooled_sample_stderr,
    unweighted_mean_stderr,
)
from lm_eval.tasks.hellaswag.utils import process_docs  # noqa: F401  (checks that it is there)
from lm_eval.tasks.hellaswag.utils import preprocess
from lm_eval.tasks.ifeval.utils import process_results as ifeval_results
from lm_eval.tasks.truthfulqa.utils import process_results_mc2
from lm_eval.tasks.wikitext.preprocess_wikitext import process_results as wikitext_results
from lm_eval.tasks.wikitext.preprocess_wikitext import wikitext_detokenizer
from lm_eval.utils import apply_template

document = {
    "question": " Why? \u2003",
    "choices": {"text": ["a", "it's", 'say "x" and it\'s', "tab\tline\n", "é\u00a0\x07猫😀\ud7ff"], "label": ["A", "B"]},
    "label": 1,
    "flag": True,
    "none": None,
    "share": 0.25,
    "text": "the  cat\tsat on",
    "list": ["x", "y"],
}
templates = [
    "{{question.strip()}}|{{question}}|",
    "{{choices.text}}",
    "{{choices['label'].index('B')}} {{choices.label|length}}",
    "{{label}} {{flag}} {{none}} {{share}} {{label + 1}} {{7 // 2}} {{-7 % 3}}",
    "{{[label, flag, none, 'x']}} {{ {'k': label} }}",
    "{{text.split(' ')[:-1]|join(' ')}}|{{text.split()}}|{{' '+text.split(' ')[-1]}}",
    "{{'yes' if flag else 'no'}}{{ ' defined' if missing is defined else ' undefined' }}",
    "{% set p = 'a\\n\\nb' %}{{p + '\\n' + text}}",
    "{% for item in list %}{{loop.index}}. {{item}}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% if label == 1 and 'x' in list %}one{% elif label %}two{% else %}three{% endif %}",
    "{{text|upper}} {{text.title()}} {{'oNE tWO'.capitalize()}} {{text.replace('cat', 'dog')}}",
    "{{text.find('sat')}} {{'aXbXc'.split('X', 1)}} {{'xxabxx'.strip('x')}} {{text.startswith('the')}}",
    "{{list[0]}}{{list[-1]}}{{text[4:7]}}{{'猫😀x'[1]}}{{'猫😀x'|length}}",
    "{{text|regex_replace('\\\\s+', '_')}} {{'A' ~ label}} {{list|first}} {{list|last}}",
    "line\n",
    "line\n\n",
    "  {% if flag %}\n  kept\n{% endif %}\n",
    "{{missing|default('none')}} {{not flag}} {{label in [1, 2]}}",
]
patterns = [
    (r"#### (\-?[0-9\.\,]+)", "x #### -1,2. #### 7"),
    (r"(-?[$0-9.,]{2,})|(-?[0-9]+)", "a $1,0 b 7 c -3.5"),
    (r"(?s).*#### ", "a\nb #### c #### d"),
    (r"\.$", "end.\n"),
    (r"\.$", "end.\n\n"),
    (r"(?i)the ANSWER is (\w+)", "The answer is Käse_1 x"),
    (r"(?P<a>\w)(?P=a)", "hello aab"),
    (r"\bcat\b", "cat concat cät cat_ cat"),
    (r"^\s*\*[^\*].*$", "* a\n  * b\n** c\n*d"),
    (r"[\w.-]+@[^\s\]]+", "x-y.z@q] a@b\u00a0c"),
    (r".+", "a\r\u2028b\nc"),
    (r"a{,2}b{x}", "aaab{x} b{x}"),
    (r"[]a]+[^]b]", "]a]x"),
    (r"\d+", "१२ 34"),
    (r"\A\s+|\s+\Z", " \x1c a \x85"),
]
follow = [
    ("keywords:existence", {"keywords": ["river", "M.on"]}),
    ("keywords:frequency", {"keyword": " moon ", "frequency": 2, "relation": "at least"}),
    ("keywords:frequency", {"keyword": "moon", "frequency": 1, "relation": "less than"}),
    ("keywords:forbidden_words", {"forbidden_words": ["river", "cat"]}),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 3, "let_relation": "at least"}),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}),
    ("length_constraints:number_words", {"num_words": 4, "relation": "at least"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Moon"}),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}),
    ("detectable_format:constrained_response", {}),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}),
    ("detectable_format:multiple_sections", {"section_spliter": "Section", "num_sections": 2}),
    ("detectable_format:json_format", {}),
    ("detectable_format:title", {}),
    ("combination:two_responses", {}),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it "}),
    ("startend:end_checker", {"end_phrase": "The End."}),
    ("startend:quotation", {}),
    ("punctuation:no_comma", {}),
]
responses = [
    "", " \n", "river moon Moon e e", "The river, a cat.", "catalogue of three trees", "one ***\n two *** ", "***one***",
    "one *** *** two", "a\n\nMoon x", "a\n\n'Moon, x", "a\n\n\n\nMoon", "moon\n\nmoon", "[a] [b c]", "[a\nb] [c]",
    "text\np.s. more", "P. P. S. x", "p.p.s", "* a\n* b", "- a\n - b\n** c", "*\n- a", "So My answer is maybe. Yes",
    "*a* **b**", "** ** *c*", "Section 1 x Section 2", "Section1\nSection x", '{"a": 1}', '```json\n[NaN, "NaN,"]\n```',
    "```\n{}\n```", "{'a': 1}", "<<t>>", "<< >> <<<x>>>", "a ****** b", "a ****** a", "****** a ****** b ******",
    "a ****** ****** b", "say it again", " Say it, then", "x. the end.", 'x. The End."  ', '"q"', '"', "x\nthe end.\ny",
    "*the end.*",
]
pages = [
    " = A title = \n \n the cat 's house @-@ boat , 1 @,@ 000 @.@ 5 ( a , b ) \" quoted text \" ' x ' [ y ] { z } N \n = = Part = = \n",
    "90 ° N ; a : b ! c ? d . e s ' x\n\n = = = = deep = = = = \n\u00a0( \u2003x )\" a\nb \"",
]
groups = [([0.5, 0.25, 1.0], [10, 40, 7], [0.1666, 0.0693, 0.0]), ([0.3, 0.9], [2, 1000], [0.5, 0.0095])]
lls = [-0.5, -3.25, -1.0, -7.5, -0.125]
mc2 = {"mc2_targets": {"choices": ["a", "b", "c"], "labels": [1, 0, 1]}}


def verdict(identifier, args, response):
    doc = {"key": 0, "prompt": "p", "instruction_id_list": [identifier], "kwargs": [args]}
    result = ifeval_results(doc, [response])
    return int(result["prompt_level_strict_acc"]), int(result["prompt_level_loose_acc"])


vectors = {
    "document": document,
    "templates": [{"template": t, "text": apply_template(t, document)} for t in templates],
    "regex": [
        {"pattern": p, "text": t, "matches": [m.group(0) for m in re.finditer(p, t)], "removed": re.sub(p, "", t)}
        for p, t in patterns
    ],
    "literals": [
        {"text": t, "value": ast.literal_eval(t)}
        for t in ["['a', \"b's\", 'c\\'\\n\\x41\\u732b']", "[1, -2.5, True, None]", "('x', [])", "'x'", "[]", "['a',]"]
    ],
    "ifeval": [
        {"id": i, "args": a, "response": r, "verdict": verdict(i, a, r)} for i, a in follow for r in responses
    ],
    "hellaswag": [
        {"text": t, "clean": preprocess(t)}
        for t in [" [header] How to [title] x  y   z", "a [step] b [substeps] c", "[a\nb] c ", "no  brackets"]
    ],
    "wikitext": [
        {"page": p, "text": wikitext_detokenizer({"page": p}), "metrics": wikitext_results({"page": p}, (-5.0,))} for p in pages
    ],
    "mc2": {"doc": mc2, "lls": lls[:3], "acc": float(process_results_mc2(mc2, [(x, False) for x in lls[:3]])["acc"])},
    "groups": [
        {
            "values": v,
            "sizes": n,
            "stderrs": s,
            "weighted": [aggregate_subtask_metrics(v, n), float(pooled_sample_stderr(s, n))],
            "unweighted": [aggregate_subtask_metrics(v, n, False), float(unweighted_mean_stderr(s))],
        }
        for v, n, s in groups
    ],
    "bootstrap": {"values": lls, "iters": 3000, "perplexity": perplexity(lls), "stderr": bootstrap_stderr(perplexity, lls, 3000)},
    "exact_match": [
        {**case, "equal": float(exact_match_hf_evaluate([case["a"]], [case["b"]], **case["settings"])["exact_match"])}
        for case in [
            {"a": "The Moon!", "b": "the moon", "settings": {"ignore_case": True, "ignore_punctuation": True}},
            {"a": "The Moon!", "b": "the moon", "settings": {"ignore_case": True}},
            {"a": "x–y", "b": "xy", "settings": {"ignore_punctuation": True}},
            {"a": "a1b", "b": "ab", "settings": {"ignore_numbers": True}},
            {"a": "$1,0.", "b": "10", "settings": {"regexes_to_ignore": [",", "\\$", "\\.$"]}},
        ]
    ],
}
if __name__ == "__main__":
    target = pathlib.Path(__file__).parents[2] / "test/golden/lm_eval/task_vectors.json"
    # One case a line.
    entries = []
    for name, value in vectors.items():
        lines = value if isinstance(value, list) else [value]
        body = ",\n".join(f"  {json.dumps(line, ensure_ascii=False)}" for line in lines)
        entries.append(f' "{name}": [\n{body}\n ]' if isinstance(value, list) else f' "{name}":\n{body}')
    target.write_text("{\n" + ",\n".join(entries) + "\n}\n")
    print(f"wrote {target}: {len(vectors['ifeval'])} verdicts")
