"""Small tokenizers of every family, and what `tokenizers` makes of made-up texts: python3 tokenizer_fuzz.py SEED TEXTS OUT.

Writes one JSON file: texts, and for each tokenizer its tokenizer.json with ids and decoded texts (null where it fails).
"""
import base64
import json
import random
import struct
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

seed, count, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
rng = random.Random(seed)

words = ("the of and to in is was he for it with as his on be at by had not are but from or have an they which one you were her all she "
         "there would their we him been has when who will more no if out so said what up its about into than them can only other new some could "
         "naïve café Köln façade Σίσυφος ΟΔΟΣ привет мир עברית العربية हिन्दी ไทย 日本語 テスト 한국어 中文字符 İstanbul ﬁne ½ ２３ don't it's WE'RE").split()
sample = [" ".join(rng.choice(words) for _ in range(rng.randint(3, 14))) + rng.choice([".", "!", "?\n", ", 12", " 2024", ""]) for _ in range(1500)]

pieces = list("aAbeorstTlLdmvSszZ'’ \n\r\t.,!?;:()0129-<|>_/\\\"#%&*+=@[]^`{}~") + [
    "\u00a0", "é", "e\u0301", "日", "本", "語", "。", "，", "🙂", "👍🏽", "👩‍👩‍👧", "🏳️‍🌈", "\u200d", "\u200b", "\u0301", "ſ", "K", "٣", "५", "\u0085", "\u3000", "\u2028",
    "\ufeff", "\ufffd", "\x00", "\x01", "\x0b", "\x0c", "\x1c", "\x7f", "\x8f", "\x9f", "\xad", "\u2581", "\u2581\u2581", "▁a", "  ", "    ", "\r\n", "\n\n", "Σ", "ΟΣ", "İ", "ß", "ẞ", "ﬁ", "ﬀ", "①", "…", "Ⅷ", "²",
    "\U0001d54f", "\U00010348", "\ue000", "\u0378", "ｶﾞ", "が", "か\u3099", "한", "\u1112\u1161\u11ab", "ﷺ", "ŉ", "ǆ", "\u202e", "$", "£", "€", "<0x41>", "<unk>", "</s>", "<s>", "[MASK]", "[UNK]", "<|x|>", "<|y|>", "New York", "yesterday",
]


def text():
    kind = rng.random()
    if kind < 0.35:
        return "".join(rng.choice(pieces) for _ in range(rng.randint(0, 30)))
    if kind < 0.6:
        return "".join(rng.choice(pieces + words * 2) + rng.choice(["", " ", "  ", ""]) for _ in range(rng.randint(1, 15)))
    if kind < 0.75:
        return "".join(chr(rng.choice([rng.randint(0, 0x7F), rng.randint(0, 0x2FF), rng.randint(0x300, 0xD7FF), rng.randint(0xE000, 0x10FFFF)])) for _ in range(rng.randint(1, 12)))
    if kind < 0.85:
        return rng.choice(["a", "ab", "the", " ", "\n", "1", "日", "🙂", "\u0301", "'", "é", "z"]) * rng.randint(1, 150)
    return " ".join(rng.choice(words) for _ in range(rng.randint(1, 30)))


texts = ["", " ", "  a", "a ", "Hello world", "Köln é ①", "tab\tand\r\ncrlf", "😀", "a<|x|>b", " <|x|> b", "x" * 120] + [text() for _ in range(count)]
quiet = {"show_progress": False}
byte_tokens = [f"<0x{b:02X}>" for b in range(256)]
made = {}


def byte_bpe(pre, size=500, **options):
    t = Tokenizer(models.BPE(**options))
    t.pre_tokenizer = pre
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=size, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **quiet))
    return t


def split(*patterns, behavior="isolated"):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), behavior) for p in patterns] + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def keep(t, change=lambda j: None):
    j = json.loads(t.to_str())
    change(j)
    return j


def plain_bytes(j):
    # Byte tokens are ordinary entries, not added ones.
    j["added_tokens"] = [a for a in j["added_tokens"] if not a["content"].startswith("<0x")]


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT4O = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
DEEPSEEK = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"]

made["gpt2"] = keep(byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False)))
roberta = byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=True))
roberta.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 1))
roberta.add_special_tokens([AddedToken("<mask>", lstrip=True)])
made["roberta"] = keep(roberta)
llama3 = byte_bpe(split(LLAMA3))
llama3.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])])
made["llama3"] = keep(llama3, lambda j: j["model"].update(ignore_merges=True))
qwen = byte_bpe(split(LLAMA3.replace("{1,3}", "")))
qwen.normalizer = normalizers.NFC()
qwen.add_tokens([AddedToken("<|x|>", normalized=True), AddedToken("é", normalized=True), "yesterday"])
made["qwen2_nfc"] = keep(qwen)
made["gpt4o"] = keep(byte_bpe(split(GPT4O)))
made["cl100k_possessive"] = keep(byte_bpe(split(CL100K)))
made["deepseek"] = keep(byte_bpe(split(*DEEPSEEK)))
made["digits_right"] = keep(byte_bpe(split(r"\d{1,3}(?=(?:\d{3})*\b)", LLAMA3)))
made["smollm"] = keep(byte_bpe(pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)])))
made["falcon"] = keep(byte_bpe(pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])))
for behavior in ["removed", "merged_with_previous", "merged_with_next", "contiguous"]:
    made[f"split_{behavior}"] = keep(byte_bpe(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"\s|e"), behavior), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])))
made["split_invert"] = keep(byte_bpe(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"\w+|[^\w\s]+"), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])))
added = byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False))
added.add_special_tokens([AddedToken("<|x|>", lstrip=True, rstrip=True), AddedToken("<|y|>", rstrip=True), AddedToken("<|x|><|y|>"), AddedToken("[MASK]", single_word=True)])
added.add_tokens([AddedToken("New York", single_word=True), AddedToken("yesterday", single_word=True, lstrip=True), AddedToken("é"), AddedToken("the", rstrip=True)])
made["added_flags"] = keep(added)


def wrong_ids(j):
    size = len(j["model"]["vocab"])
    j["added_tokens"] = [{**j["added_tokens"][0], "id": 3, "content": c, "special": i % 2 == 0} for i, c in enumerate(["<|x|>", "<|y|>", "a", "<|endoftext|>", "yesterday", "New York"])]
    j["added_tokens"][4]["id"] = size + 40


made["added_wrong_ids"] = keep(byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False)), wrong_ids)


def holes(j):
    j["model"]["vocab"] = {k: v + (7 if v > 200 else 0) for k, v in j["model"]["vocab"].items()}
    j["added_tokens"] += [{**j["added_tokens"][0], "id": 9999, "content": "<|x|>"}]


made["vocab_with_holes"] = keep(byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False)), holes)
lower = byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False))
lower.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Lowercase(), normalizers.StripAccents()])
lower.add_tokens([AddedToken("YESTERDAY", normalized=True), AddedToken("New York", normalized=False)])
made["lowercase_added"] = keep(lower)


def llama2(fuse, fallback=True, prefix="normalizer", unk="<unk>"):
    t = Tokenizer(models.BPE(unk_token=unk, byte_fallback=fallback, fuse_unk=fuse))
    if prefix == "normalizer":
        t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    elif prefix == "gemma":
        t.normalizer = normalizers.Replace(" ", "▁")
        t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    else:
        t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prefix, split=prefix != "first")
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=700, special_tokens=["<unk>", "<s>", "</s>"] + (byte_tokens if fallback else []), max_token_length=8, limit_alphabet=60, **quiet))
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return keep(t, plain_bytes)


made["llama2"] = llama2(True)
made["llama2_no_fallback"] = llama2(True, False)
made["llama2_unfused"] = llama2(False, False)
made["llama2_no_unk"] = llama2(False, False, unk=None)
made["mistral_metaspace"] = llama2(True, prefix="always")
made["metaspace_first"] = llama2(True, prefix="first")
made["metaspace_never"] = llama2(True, prefix="never")
made["gemma"] = llama2(True, prefix="gemma")


def some_bytes_missing(j):
    plain_bytes(j)
    for b in (0xE6, 0x9F, 0x0D):
        j["model"]["vocab"][f"gone{b}"] = j["model"]["vocab"].pop(f"<0x{b:02X}>")


gaps = json.loads(json.dumps(made["llama2"]))
some_bytes_missing(gaps)
made["llama2_bytes_missing"] = gaps

gpt1 = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
gpt1.normalizer = normalizers.BertNormalizer(lowercase=True)
gpt1.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
gpt1.decoder = decoders.BPEDecoder("</w>")
gpt1.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>"], end_of_word_suffix="</w>", **quiet))
made["gpt1"] = keep(gpt1)
prefix = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##"))
prefix.pre_tokenizer = pre_tokenizers.Whitespace()
prefix.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>"], continuing_subword_prefix="##", **quiet))
made["bpe_prefix"] = keep(prefix)
plain = Tokenizer(models.BPE())
plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
plain.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=400, special_tokens=[], limit_alphabet=50, **quiet))
made["bpe_plain"] = keep(plain)

for name, options in {"bert": {"lowercase": True}, "bert_cased": {"lowercase": False}, "bert_accents": {"lowercase": True, "strip_accents": False}, "bert_raw": {"lowercase": False, "strip_accents": True, "clean_text": False, "handle_chinese_chars": False}}.items():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(**options)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train_from_iterator(sample, trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], limit_alphabet=70, **quiet))
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made[name] = keep(t)
made["wordpiece_no_unk"] = keep(t, lambda j: (j["model"].update(unk_token="[NONE]")))

for name, pre in {"wordlevel": pre_tokenizers.Whitespace(), "wordlevel_scripts": pre_tokenizers.UnicodeScripts(), "wordlevel_delimiter": pre_tokenizers.CharDelimiterSplit("e"), "wordlevel_fixed": pre_tokenizers.FixedLength(3), "wordlevel_punctuation": pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous")])}.items():
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.pre_tokenizer = pre
    t.train_from_iterator(sample, trainers.WordLevelTrainer(vocab_size=300, special_tokens=["<pad>", "<unk>"], **quiet))
    made[name] = keep(t)
made["wordlevel_no_unk"] = keep(t, lambda j: j["model"].update(unk_token="<none>"))


def charsmap(rules):
    """A small `precompiled_charsmap`: every rule's text in a double-array trie, built one state after another."""
    blob, offsets = b"", {}
    for key, value in rules.items():
        offsets[key.encode()] = len(blob)
        blob += value.encode() + b"\0"
    units, used = [0] * 65536, {0}

    def place(node, prefix):
        keys = sorted({k[len(prefix)] for k in offsets if k.startswith(prefix) and len(k) > len(prefix)})
        leaf = prefix in offsets and prefix != b""
        offset = next(o for o in range(256, 65280) if (not leaf or o not in used) and all((o ^ k) not in used for k in keys))
        # Offsets are relative to the node by exclusive or.
        units[node] = (units[node] & 0xFF) | ((offset ^ node) << 10) | (0x100 if leaf else 0)
        used.update(([offset] if leaf else []) + [offset ^ k for k in keys])
        if leaf:
            units[offset] = 0x80000000 | offsets[prefix]
        for k in keys:
            units[offset ^ k] = k
        for k in keys:
            place(offset ^ k, prefix + bytes([k]))

    place(0, b"")
    end = max(used) + 257
    return struct.pack("<I", 4 * end) + struct.pack(f"<{end}I", *units[:end]) + blob


rules = {"\t": " ", "\n": " ", "\r": " ", "ﬁ": "fi", "①": "1", "…": "...", "２": "2", "ß": "ss", "\u200b": "", "e\u0301": "é", "か\u3099": "が", "ﷺ": "صلى", "\ufeff": "", "K": "K", "İ": "i\u0307", "½": "1⁄2", "\u3000": " ", "👍🏽": "+1"}


def unigram(normalizer, pre, fallback=False, unk="<unk>", size=350):
    t = Tokenizer(models.Unigram())
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(sample, trainers.UnigramTrainer(vocab_size=size, special_tokens=["<pad>", "</s>", "<unk>"] + (byte_tokens if fallback else []), unk_token=unk, shrinking_factor=0.6, max_piece_length=8, **quiet))
    j = keep(t, plain_bytes)
    j["model"]["byte_fallback"] = fallback
    return j


meta = pre_tokenizers.Metaspace()
made["unigram"] = unigram(None, meta)
made["unigram_bytes"] = unigram(None, meta, True, size=600)
made["unigram_nfkc"] = unigram(normalizers.NFKC(), meta)
made["unigram_nmt"] = unigram(normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]), meta)
made["unigram_albert"] = unigram(normalizers.Sequence([normalizers.Replace("``", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), meta]))
made["unigram_unsplit"] = unigram(None, None)
made["unigram_precompiled"] = unigram(normalizers.NFKC(), meta)
made["unigram_precompiled"]["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap(rules)).decode()}
no_unk = unigram(None, meta)
no_unk["model"]["unk_id"] = None
made["unigram_no_unk"] = no_unk
ties = unigram(None, None)
ties["model"]["vocab"] = [[v[0], round(v[1])] for v in ties["model"]["vocab"]]
made["unigram_ties"] = ties
byte_normalized = Tokenizer(models.BPE())
byte_normalized.normalizer = normalizers.ByteLevel()
byte_normalized.decoder = decoders.ByteLevel()
byte_normalized.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=500, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), max_token_length=6, **quiet))
byte_normalized.add_tokens([AddedToken("é"), AddedToken("New York")])
made["byte_normalizer"] = keep(byte_normalized)

result = {"texts": texts, "tokenizers": {}}
for name, j in made.items():
    t = Tokenizer.from_str(json.dumps(j))
    rows = []
    for s in texts:
        try:
            ids = t.encode(s).ids
            plain_ids = t.encode(s, add_special_tokens=False).ids
        except Exception:  # noqa: BLE001 - any failure is what we compare
            rows.append(None)
            continue
        rows.append([ids, plain_ids, t.decode(ids) if ids else "", t.decode(ids, skip_special_tokens=False) if ids else ""])
    result["tokenizers"][name] = {"json": j, "vocab_size": t.get_vocab_size(), "rows": rows}
with open(out, "w") as f:
    json.dump(result, f)
