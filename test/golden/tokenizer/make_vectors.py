import json
import pathlib
import random

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = pathlib.Path(__file__).parent

awkward = [
    "", " ", "  ", "\n", "\r\n", "\r\n\r\n\t ", " \n \n", "a", " a", "a ", "a  b", "hello world", "Hello  World ",
    "don't I'll WE'RE they'VE it'S 'tis x'll y'd", "don'\u017f I'\u212a", "\u00a0nbsp\u00a0\u00a0x", "\u2003em\u3000ideographic",
    "\u0085next\u0085line", "\ufeffbom\ufeff", "zero\u200bwidth\u200djoiner", "1", "12", "1234567890123456789", "3.14159e-10 1,000,000",
    "½ ² ٣٤٥ Ⅷ", "naïve café — “quotes”", "e\u0301 combining", "日本語テスト", "한국어 텍스트", "עברית العربية", "ไทย", "🙂", "👩‍👩‍👧‍👦 family 🏳️‍🌈",
    "👍🏽👍🏿", "\U0001d54f\U00010348", "tabs\tand\t\tspaces \n end ", "#### 1,234\n\nQuestion:", "$3.50 + 20% = ?", "!!!???...", "a_b-c/d\\e|f",
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|begin_of_text|>x<|eot_id|>y<|end_of_text|>",
    "<|endoftext", "<think> deeply", "<think>deeply ox fox", "<mask>", "a  <mask>  b", " unmergeable unmergeable", "x" * 200, "ab" * 100,
    "\x00\x01\x7f\x80\xff", "def f(x):\n    return x  # comment\n\n\n", "ROMEO: wherefore art thou?", "\u1e9e\u00df ſt ﬀ İi", "ǅ ǲ", "a\u2028b\u2029c",
    "\uffff\U0010ffff", "\ufffd", "'", "''s", "' s", "'S'T'RE", "\n'll", "9's 9'9", "_'m", "x\r\ny\rz\n",
]

rng = random.Random(7)
alphabet = list("aAbeorstTlLdmvS'’ \n\r\t.,!0129-<|>_") + ["\u00a0", "é", "日", "🙂", "\u200d", "\u0301", "ſ", "K", "٣", "\u0085", "\u3000", "<|endoftext|>", "the", " fox", "  "]
for _ in range(60):
    awkward.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 40))))

# Families outside byte-level BPE, which @huggingface/tokenizers encodes: trained here, small.
sample = (here / "generated_text.txt").read_bytes().decode()[:30000].splitlines()
quiet = {"show_progress": False}
wordpiece = Tokenizer(models.WordPiece(unk_token="[UNK]"))
wordpiece.normalizer = normalizers.BertNormalizer(lowercase=True)
wordpiece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
wordpiece.decoder = decoders.WordPiece()
wordpiece.train_from_iterator(sample, trainers.WordPieceTrainer(vocab_size=220, special_tokens=["[UNK]", "[CLS]", "[SEP]"], **quiet))
wordpiece.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
fallback = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
fallback.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
fallback.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
fallback.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>", "<s>", "</s>"] + bytes_, max_token_length=8, **quiet))
fallback_json = json.loads(fallback.to_str())
# Byte tokens are ordinary entries of such a vocabulary, not special ones.
fallback_json["added_tokens"] = fallback_json["added_tokens"][:3]
fallback = Tokenizer.from_str(json.dumps(fallback_json))
fallback.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
for name, tokenizer in [("library_wordpiece", wordpiece), ("library_byte_fallback", fallback)]:
    (here / "tokenizers" / f"{name}.json").write_text(tokenizer.to_str() + "\n")

vectors = {"made_with": "tokenizers " + tokenizers.__version__, "texts": awkward, "tokenizers": {}, "trained": {}}
for file in sorted((here / "tokenizers").glob("*.json")):
    tokenizer = Tokenizer.from_file(str(file))
    rows = []
    for text in awkward:
        ids = tokenizer.encode(text).ids
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        rows.append([ids, plain, tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=False)])
    vectors["tokenizers"][file.stem] = {"vocab_size": tokenizer.get_vocab_size(), "rows": rows}
    # Every cut of a text in the middle of its characters, to see how broken UTF-8 is decoded.
    ids = tokenizer.encode("é日🙂👩‍👩‍👧", add_special_tokens=False).ids
    vectors["tokenizers"][file.stem]["broken"] = [[ids[i:j], tokenizer.decode(ids[i:j])] for i in range(min(len(ids), 8)) for j in range(i + 1, min(len(ids), i + 6) + 1)]

text = (here / "generated_text.txt").read_bytes().decode()
llama3 = json.loads((here / "tokenizers/llama3.json").read_text())["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]
for name, specials, size in [("gpt2", ["<|endoftext|>"], 480), ("llama3", ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"], 520)]:
    tokenizer = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name == "gpt2")
    split = pre_tokenizers.Split(Regex(llama3), "isolated")
    tokenizer.pre_tokenizer = byte_level if name == "gpt2" else pre_tokenizers.Sequence([split, byte_level])
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=2, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    vectors["trained"][name] = json.loads(tokenizer.to_str())["model"]["merges"]

(here / "vectors.json").write_text(json.dumps(vectors, ensure_ascii=True) + "\n")
