"""What transformers and lm-evaluation-harness render: JSON on standard output, for template_check.ts.

    python experiments/oracles/template_values.py chat PATH...   # .jinja files and folders of them
    python experiments/oracles/template_values.py tasks          # the templates of lm_eval's own task files
    python experiments/oracles/template_values.py random         # templates of jinja_random.py, as lm_eval renders them

Needs transformers, or lm_eval.
"""
import itertools
import json
import pathlib
import random
import sys

tool = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather <at> a place",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "City, \"country\""},
                "days": {"type": "integer", "minimum": 1, "default": 3},
                "units": {"type": "string", "enum": ["C", "F"]},
            },
            "required": ["place"],
        },
        "return": {"type": "string"},
    },
}
call = {
    "id": "call12345",
    "type": "function",
    "function": {"name": "get_weather", "arguments": {"place": "Zürich", "days": 2, "wind": True, "at": [1.5, None]}},
}
code = "Sure:\n\n```python\n    def f(x):\n        return x\n```\n\n  "
special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
conversations = [
    {"messages": [{"role": "user", "content": "Hi <b>"}], "add_generation_prompt": True},
    {
        "messages": [
            {"role": "system", "content": "  Be brief.\n"},
            {"role": "user", "content": " What's 1+1? 😀\n"},
            {"role": "assistant", "content": code},
            {"role": "user", "content": "And 中文?"},
        ],
        "add_generation_prompt": True,
    },
    {
        "messages": [
            {"role": "user", "content": "Think."},
            {"role": "assistant", "content": "<think>\nfirst\n</think>\n\n  one\n    two"},
            {"role": "user", "content": "Again."},
            {"role": "assistant", "content": "Two.", "reasoning_content": "\n second \n"},
        ],
        "add_generation_prompt": False,
        "enable_thinking": False,
    },
    {
        "messages": [
            {"role": "system", "content": "Use tools."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "name": "get_weather", "tool_call_id": "call12345", "content": "{\"t\": 21.5}"},
            {"role": "assistant", "content": "21.5 °C", "reasoning_content": "easy"},
            {"role": "user", "content": "Thanks"},
        ],
        "tools": [tool, {**tool, "function": {**tool["function"], "name": "other"}}],
        "add_generation_prompt": True,
        "enable_thinking": True,
    },
    {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Look: "}, {"type": "text", "text": "here"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
        ],
        "add_generation_prompt": False,
    },
]


def chat(paths):
    from transformers.utils.chat_template_utils import _normalize_chat_messages, render_jinja_template

    files = [pathlib.Path(path) for path in paths]
    files = [file for path in files for file in (sorted(path.rglob("*.jinja")) if path.is_dir() else [path])]
    for file in files:
        source = file.read_text(encoding="utf8")
        for number, conversation in enumerate(conversations):
            settings = {**special, **conversation}
            messages = _normalize_chat_messages(settings.pop("messages"))
            marked = "generation %}" in source.replace("-", "")
            try:
                rendered, spans = render_jinja_template(
                    [messages], chat_template=source, return_assistant_tokens_mask=marked, **settings
                )
                answer = {"text": rendered[0], "spans": [list(span) for span in spans[0]] if marked else []}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            yield {"name": f"{file.name} {number}", "template": source, "settings": {**special, **conversation}, **answer}


keys = ("doc_to_text", "doc_to_target", "doc_to_choice", "description", "gen_prefix", "doc_to_decontamination_query", "target_delimiter")


def task_templates():
    import lm_eval
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    found = {}

    def collect(value, name):
        if isinstance(value, str) and ("{{" in value or "{%" in value):
            found.setdefault(value, name)
        elif isinstance(value, list):
            for item in value:
                collect(item, name)
        elif isinstance(value, dict):
            for key, item in value.items():
                if key in keys or isinstance(item, dict):
                    collect(item, name)

    for file in sorted((pathlib.Path(lm_eval.__file__).parent / "tasks").rglob("*")):
        if file.is_file() and (file.suffix in (".yaml", ".yml") or "yaml" in file.name):
            try:
                config = yaml.load(file.read_text(encoding="utf8"), Loader)
            except Exception:
                continue
            if isinstance(config, dict):
                collect(config, file.name)
    return found


class Shape:
    """What a template asks of a value: fields, items, or nothing in particular."""

    def __init__(self):
        self.fields = {}
        self.items = None

    def field(self, name):
        return self.fields.setdefault(name, Shape())

    def item(self):
        self.items = self.items or Shape()
        return self.items

    def value(self, draw):
        if self.fields:
            return {name: shape.value(draw) for name, shape in self.fields.items()}
        if self.items:
            if not self.items.fields and not self.items.items and draw.random() < 0.3:
                return draw.choice(["some text", " a  b c", "Zürich's \"x\""])
            return [self.items.value(draw) for _ in range(draw.randint(2, 5))]
        return draw.choice(
            ["One two. Three", " padded\n", "it's \"q\"", "é😀\tz", "B", "2", "a. b? c!", 0, 1, 2, 1.5, True, ["x", "y z", "w"],
             ["A", "B", "C", "D"], {"text": ["t", "u"], "label": ["A", "B"]}, "1. x\n2. y", "#### 3", "[1, 2]"]
        )


def shapes(template):
    """The shape of the document, from what the template's tree does with each name."""
    from jinja2 import meta, nodes
    from lm_eval.utils import env

    tree = env.parse(template)
    names = meta.find_undeclared_variables(tree)
    document = Shape()
    scope = {name: document.field(name) for name in names}
    methods = set(dir(str)) | set(dir(list)) | set(dir(dict))

    def visit(node):
        if isinstance(node, nodes.Name):
            return scope.get(node.name)
        shape = None
        if isinstance(node, nodes.Getattr):
            inner = visit(node.node)
            if inner is not None and node.attr not in methods:
                shape = inner.field(node.attr)
            elif inner is not None and node.attr in ("index", "append"):
                inner.item()
            return shape
        if isinstance(node, nodes.Getitem):
            inner = visit(node.node)
            visit(node.arg)
            if inner is not None:
                if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
                    return inner.field(node.arg.value)
                return None if isinstance(node.arg, nodes.Slice) else inner.item()
            return None
        if isinstance(node, nodes.For):
            inner = visit(node.iter)
            if isinstance(node.target, nodes.Name) and inner is not None:
                scope[node.target.name] = inner.item()
            for child in itertools.chain(node.body, node.else_):
                visit(child)
            return None
        for child in node.iter_child_nodes():
            visit(child)
        return None

    visit(tree)
    return document


def tasks():
    from lm_eval.utils import apply_template

    for template, name in task_templates().items():
        draw = random.Random(7)
        answers = []
        try:
            shape = shapes(template)
        except Exception as error:
            yield {"name": name, "template": template, "document": {}, "error": f"{type(error).__name__}: {error}"}
            continue
        for attempt in range(60):
            document = shape.value(draw) if shape.fields else {}
            try:
                answers.append({"document": document, "text": apply_template(template, document)})
            except Exception as error:
                if attempt < 3:
                    answers.append({"document": document, "error": f"{type(error).__name__}: {error}"})
            if sum("text" in answer for answer in answers) >= 4:
                break
        for answer in answers:
            yield {"name": name, "template": template, **answer}


def random_rows():
    from jinja_random import random_templates
    from lm_eval.utils import apply_template, env

    document = {"a": "1", "c": "3"}
    for template in random_templates(env):
        try:
            answer = {"text": apply_template(template, dict(document))}
        except RecursionError:
            continue
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        # Addresses of objects are nobody's business.
        if " at 0x" not in answer.get("text", "") and len(answer.get("text", "")) < 100_000:
            yield {"name": "random", "template": template, "document": document, **answer}


if __name__ == "__main__":
    modes = {"chat": lambda: chat(sys.argv[2:]), "tasks": tasks, "random": random_rows}
    json.dump(list(modes[sys.argv[1]]()), sys.stdout)
