"""What Python's `re` matches: test/python/regex.test.ts compares our engine.

    python3 regex_matches.py test/golden/regex/python_matches.json      (written by Python 3.11)

For each pattern: its error, or for each text the matches of `finditer`: place and groups. Places count code points.
"""
import json
import re
import sys
import warnings
from re import _casefix

TEXTS = [
    "ANSWER IS 7", "answer is 7", "pick B or c", "xxy", "a_b--c d!", "aaab", "xy Xy", "The answer is (C).", "#### 1,234.5",
    "so $29.00 then", "A. one", "{a\nb}", "one\ntwo\nthree", "12 and 12", "café naïve ÉéÉ", "it's e-mail", "\\boxed{7}",
    "x = -3.5e2", "a\u00a0b\u2003c\u200bd\x1ce\x85f", "ß SS ẞ ſ K \u212a ı İ i I ǅ ǆ Ǆ", "я не Я", "A1 é \x00 \b 1", "}]{[-/\\!_ '\"%", "",
    "\n", "abc\n", "١٢٣ ² ½ Ⅷ", "𝒜😀", "abab abb", "aXbxc", "foobar barfoo", "aa bb ab", "Σίσυφος ΣΊΣΥΦΟΣ", "- one\n* two\n  - three\n", "µ μ Å å Å",
]
PATTERNS = [
    # Flags
    r"(?i:answer is)\s*(\d+)", r"\b(?i:[a-d])\b", r"(?-i:X)y", r"(?i)x(?-i:Y)", r"(?i)ı", r"(?a)\w+", r"(?i)[a-z]+", r"(?i)[^a-z\s]+",
    r"(?x) a  n   s", "(?x) a # comment\n b | \\  c | [ #]", r"(?x: a b ) c", r"(?s).+", r"(?m)^.+$", r"(?m)^", r"(?m)$", r"(?ms)^b.*", r"(?i)(?m)^T",
    r"(?a:\w+)é", r"(?ai)[k-s]+", r"(?i)ß", r"(?i)SS", r"(?i)ẞ", r"(?i)\u017f", r"(?i)k", r"(?i)ς", r"(?i)ΣΊΣΥΦΟΣ", r"(?i)[σ]", r"(?i)µ", r"(?i)å", r"(?i)ǆ",
    r"(?i)я", r"(?i)[а-я]+", r"(?i)[Z-a]", r"(?i)[^k]", r"(?i)İ", r"(?i)i", r"(?u)\w+", r"(?s:.)b", r"(?m:^)o", r"(?i-s:A.)",
    # Possessive and atomic
    r"x++y", r"(?>a+)b", r"\d{1,2}+", r"a*+a", r"a?+b", r"(?:ab)++", r"(?>ab|a)b", r"(?>a|ab)b", r"(?>(a+))b", r"(?:a|ab)++b", r"(a{2})++b",
    # Classes
    r"[\W_]+", r"[^\W\d_]+", r"[]a]+", r"[^]a]+", r"[[]", r"[a\]]", r"[\d-]+", r"[a-c-e]+", r"[-a]+", r"[a-]+", r"[\s\S]", r"[\x41-\x43]", r"[\b]", r"[.]", r"[\-\\]+",
    r"[{}]", r"[^\n]+", r"[\D]+", r"[\S]+", r"[é-ï]", r"[&&a]", r"[a||b]", r"[\]\[]+", r"[\t-\r]", r"[$^]", r"\[.*?\]",
    # Ends, words
    r"\Aa", r"c\Z", r"c$", r"c$\n", r"$", r"^", r"\b\w", r"\B\w", r"\w\b", r"\b", r"\B", r"\bé", r"^$", r"\Z", r"(?m)c$",
    # Groups
    r"(?P<n>\w)(?P=n)", r"(\w)\1", r"(?P<first>a)|(?P<second>b)", r"(a)?(?(1)b|c)", r"(?P<q>')?\w(?(q)s)", r"(a)?\1b", r"(?:(a)|b)*", r"(?:(a)|(b))+", r"((a)|b)*", r"(a*)*", r"(a*)+",
    r"(a|b)*?b", r"(?:)*", r"(?:a?)*b", r"(?:a|)*b", r"(|a)*", r"(|a)+", r"(a|ab)(c|bcd|b)*", r"(?i)(x)\1", r"(?i)(?P<v>[a-z])(?P=v)", r"()(?(1)a|b)", r"(?#comment)a", r"((((a))))b",
    r"(?(1)a|b)(c)?", r"(x)?(?(1)y)",
    # Looking around
    r"(?<=foo)bar", r"(?<!foo)bar", r"foo(?=bar)", r"foo(?!bar)", r"(?<=a|b)c", r"(?<=\b)a", r"(?<=(a))b", r"(?=(a+))a", r"(?!.*b)a", r"(?<![a-z])b", r"(?<=^)a", r"(?<=[ab]{2})b", r"(?=a)", r"(?<!\d)\d(?!\d)",
    # Repeats
    r"a{2}", r"a{,2}", r"a{2,}", r"a{1,2}?", r"a{,}", r"a{", r"a{}", r"a{1", r"a{1,2", r"{", r"}", r"{a}", r"a{x}", r"x*", r"x*?", r".*?b", r"a+?b", r"(?:a{1,2}){2}", r"|a", r"a|", r"a||b", r"\w+?\s", r"(?:\w\s?)+",
    r"[ab]{2,3}?", r"x{0}y", r"(?:x{0,1}){3}y", r"(\d)+", r"b(?:\b)*", r"(?i:^)+a", r"(\d)*?\d", r"a**", r"a{2}{3}", r"a+*",
    # Escapes
    r"\d+", r"\D+", r"\s+", r"\S+", r"\w+", r"\W+", r"\.", r"\-", r"\/", r"\ ", r"\x61", r"\u0061", r"\U00000061", r"\0", r"\01", r"\141", r"\t|\n|\r|\f|\v|\a", r"\\", r"\'", r"\"", r"\#", r"\%", r"\_", r"é", r"😀", r"\é", r"[\141-\143]", r"\{", r"\}", r"\$",
    # Of tasks
    r"(-?[$0-9.,]{2,})|(-?[0-9]+)", r"#### (\-?[0-9\.\,]+)", r"The answer is (\-?[0-9\.\,]+).", r"(?<=answer is )(.*)(?=.)", r"\(([A-Z])\)", r":\s*([A-D])", r"(?i)the answer is \(?([a-d])\)?", r"\$?([\d,]+(?:\.\d+)?)", r"^\s*\*[^\*].*$", r"(?m)^\s*-.*$", r"\\boxed\{(.*?)\}",
    # Errors
    r"(", r")", r"[", r"[a", r"a)", r"(?", r"(?P<n", r"(?P<n>a)(?P<n>b)", r"(?P=n)", r"\1", r"(a\1)", r"(?<=a+)b", r"(?<=a|bc)d", r"*a", r"+", r"?", r"^*", r"{2}", r"a{2,1}", r"[b-a]", r"[\d-a]", r"[a-\d]", r"\q", r"[\q]", r"\x1", r"\u12", r"\8", r"a(?i)b", r"(?i", r"(?z)", r"(?L)a", r"(?au)a", r"(?-i)a",
    r"(?i-i:a)", r"(?<a", r"(?P>a)", r"(?(2)a)", r"(?(0)a)", r"(?(x)a)", r"(a)(?(1)b|c|d)", r"(?P<1>a)", r"(?#a", "\\", r"[\\", r"(?=*)", r"\400", r"\b+", r"(?:a", r"x{2}*", r"a???", r"a?+?",
]


def results(pattern):
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return {"pattern": pattern, "error": error.msg}
    found = {}
    for number, text in enumerate(TEXTS):
        matches = [[match.start(), match.group(), *match.groups()] for match in compiled.finditer(text)]
        if matches:
            found[number] = matches
    return {"pattern": pattern, "matches": found}


warnings.simplefilter("ignore")
cases = sorted((key, list(value)) for key, value in _casefix._EXTRA_CASES.items())
entries = [results(pattern) for pattern in PATTERNS]
with open(sys.argv[1], "w") as out:
    out.write('{\n"texts": ' + json.dumps(TEXTS, ensure_ascii=True) + ',\n"cases": ' + json.dumps(cases) + ',\n"patterns": [\n')
    out.write(",\n".join(json.dumps(entry, ensure_ascii=True) for entry in entries))
    out.write("\n]\n}\n")
