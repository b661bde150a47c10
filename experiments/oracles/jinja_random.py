"""Templates by the thousand for template_values.py: every operator, filter, test and method on values of every kind, and
random templates of white space and of scopes."""
import itertools
import random
import re

values = (
    "3|-7|0|2.5|6.0|-0.0|1e16|9007199254740993|true|none|'abc'|''|'Ab c'|'42'|' 2.5 '|'😀é'|[1,2]|[]|['b','a']|[[1,'x'],[0,'y']]|(1,2)|()"
    "|{'a':1}|{}|{1:'x'}|zz|('<'~'a')|range(4)|[{'k':1},{'k':0}]"
).split("|")
texts = "'abc'|''|'Ab c'|'a,b,c'|' x '|'😀é'|'ǅa ß'|'a\\n\\nb'|'-5'".split("|")
method_arguments = ["", "','", "' '", "3", "5, '*'", "'a', 'b'", "'a', 'b', 1", "['a','b']", "'b', 0, 2", "-2", "'a', -1"]
formats = "%5s|%-5s|%05d|%+d|% d|%x|%#x|%o|%e|%.0e|%g|%.3g|%#g|%.10f|%5.1f%%|%c|%r|%.2r|%i|%F".split("|")
specs = "|5|<5|^5|*^9|05|+|+.1f|.0f|.1f|.3g|g|e|.2e|,|_|x|#x|b|o|c|d|%|.1%|s|.2|10.3|=+6|08.2f|,.2f|E|#.3g".split("|")
numbers = "42|-42|0|2.5|0.5|1.5|1e16|1e-7|1234567.891|true|'abc'|none|0.1|100.0".split("|")
keys = "0|-1|'a'|1:|::-1|::2|:-1|-2:|5:1:-1|1.0|true|'upper'|(1,2)|'zz'|10".split("|")


def expressions(environment):
    for operator, a, b in itertools.product("+ - * / // % ** == != < <= in and or ~".split(), values, values):
        if not (operator in ("**", "*") and ("16" in a + b or "9007" in a + b)):
            yield f"{a} {operator} {b}"
    for name, value in itertools.product(sorted(environment.filters), values):
        if name not in ("random", "urlize", "pprint"):
            yield from (f"{value}|{name}", f"{value}|{name}|list", f"{value}|{name}(2)", f"{value}|{name}('a')", f"{value}|{name}(1, 2)")
    for name, value in itertools.product(sorted(environment.tests), values):
        if re.match(r"\w", name):
            yield from (f"({value}) is {name}", f"({value}) is {name}(2)")
    methods = [name for name in dir(str) if name[0] != "_" and name not in ("encode", "maketrans", "translate", "format_map")]
    for name, text, arguments in itertools.product(methods, texts, method_arguments):
        yield f"{text}.{name}({arguments})"
    yield from (f"{value}[{key}]" for value, key in itertools.product(values, keys))
    yield from (f"'{form}' % {number}" for form, number in itertools.product(formats, numbers))
    yield from (f"'{{:{spec}}}'.format({number})" for spec, number in itertools.product(specs, numbers))


draw = random.Random(5)
blanks = [" ", "\n", "  \n  ", "a", "\r\n", "\t", " b ", "\n\n", "\n  ", "  c"]


def sign():
    return draw.choice(["", "", "", "-", "+"])


def tag(text):
    return "{%" + sign() + f" {text} " + sign() + "%}"


def white_space(depth=0):
    out = ""
    for _ in range(draw.randint(1, 4)):
        kind = draw.randint(0, 6)
        if kind <= 1:
            out += draw.choice(blanks)
        elif kind == 2:
            out += "{{" + draw.choice(["", "-"]) + " 'v' " + draw.choice(["", "-"]) + "}}"
        elif kind == 3:
            out += "{#" + sign() + " c " + sign() + "#}"
        elif kind == 4:
            out += tag("set x = 1")
        elif kind == 5 and depth < 2:
            out += tag("if true") + white_space(depth + 1) + tag("endif")
        else:
            out += "{%" + sign() + " raw %}" + draw.choice(blanks) + "{{x}}" + draw.choice(blanks) + tag("endraw")
        out += draw.choice([*blanks, *[""] * 6])
    return out


def scopes(depth=0, macros=()):
    """Assignments, loops, macros and blocks over three names."""
    out = ""
    for _ in range(draw.randint(1, 4)):
        name, other = draw.choice("abc"), draw.choice("abc")
        kind = draw.randint(0, 9)
        inner = scopes(depth + 1, macros) if depth < 3 else ""
        if kind <= 2 or depth == 3:
            out += "{{" + name + "}};"
        elif kind == 3:
            out += "{% set " + name + " = " + draw.choice(["'x'", "'y'", other + " ~ '+'"]) + " %}"
        elif kind == 4:
            out += "{% if " + draw.choice(["a", "false", "zz is defined", name + " == '1'"]) + " %}" + inner + "{% endif %}"
        elif kind == 5:
            out += "{% for " + name + " in [1, 2] %}{{ loop.index }}" + inner + "{% else %}" + inner + "{% endfor %}"
        elif kind == 6:
            macros = (*macros, f"f{draw.randint(0, 2)}")
            out += "{% macro " + macros[-1] + "(" + draw.choice(["", "b", "c='d'"]) + ") %}" + inner + "{% endmacro %}"
        elif kind == 7 and macros:
            out += "{{ " + draw.choice(macros) + "(" + draw.choice(["", "'M'"]) + ") }}"
        elif kind == 8:
            out += "{% with " + name + "=" + other + " %}" + inner + "{% endwith %}"
        else:
            out += "{% set " + name + " %}" + inner + "{% endset %}"
    return out


def random_templates(environment, count=3000):
    yield from ("{{ " + expression + " }}" for expression in dict.fromkeys(expressions(environment)))
    yield from (white_space() for _ in range(count))
    yield from (scopes() for _ in range(count))
