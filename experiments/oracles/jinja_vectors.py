"""What Python renders of small templates, for the tests: writes test/golden/jinja/vectors.json.

    python experiments/oracles/jinja_vectors.py [OUT]

Needs transformers (chat templates, `apply_chat_template`) and lm_eval (templates of task files). A template that Python
refuses has null as its text.
"""
import json
import pathlib
import sys

from jinja_snippets import chat_conversations, chat_snippets, task_document, task_snippets
from lm_eval.utils import apply_template
from transformers.utils.chat_template_utils import _normalize_chat_messages, render_jinja_template


def task_vector(template):
    try:
        text = apply_template(template, json.loads(json.dumps(task_document)))
    except Exception:
        text = None
    return {"template": template, "text": text}


def chat_vector(name, template):
    settings = json.loads(json.dumps(chat_conversations[name]))
    messages = _normalize_chat_messages(settings.pop("messages"))
    try:
        rendered, spans = render_jinja_template(
            [messages], chat_template=template, return_assistant_tokens_mask="generation" in template, **settings
        )
    except Exception:
        return {"conversation": name, "template": template, "text": None}
    return {"conversation": name, "template": template, "text": rendered[0], "spans": spans[0] if spans else []}


vectors = {
    "document": task_document,
    "tasks": [task_vector(template) for template in task_snippets],
    "conversations": chat_conversations,
    "chats": [chat_vector(name, template) for name, template in chat_snippets],
}
out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "test/golden/jinja/vectors.json")
out.write_text(json.dumps(vectors, ensure_ascii=True, indent=1) + "\n")
print(len(vectors["tasks"]), len(vectors["chats"]))
