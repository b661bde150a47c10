/**
 * Documents in the schemas of the tasks' data sets, for tasks whose data are not at hand: generated, with what tends to
 * break prompts (quotes, brackets, trailing spaces, other alphabets, numbers as texts).
 */

import type { Task } from "../../../src/eval/task/task.ts";
import { PythonRandom } from "../../../src/python/random.ts";

const nouns = ["river", "Käse", "engine", "moon's", '"box"', "data [sic]", "猫", "T-shirt", "50%", "naïve idea"];
const verbs = ["moves", "is", "costs", "doesn't like", "turns into", "holds"];
const endings = [".", "!", " ", "...", "?", " [title]", " [step] next", "  twice", " #### 7", ""];
const letters = ["A", "B", "C", "D", "E"];

type Document = Record<string, unknown>;

class Writer {
  private readonly random: PythonRandom;
  constructor(seed: number) {
    this.random = new PythonRandom(seed);
  }
  below(bound: number): number {
    return this.random.randbelow(bound);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
  clause(): string {
    return `the ${this.pick(nouns)} ${this.pick(verbs)} ${this.below(100)} ${this.pick(nouns)}`;
  }
  text(): string {
    return this.clause() + this.pick(endings);
  }
  list(count: number): string[] {
    return Array.from({ length: count }, () => this.text());
  }
}

function lettered(writer: Writer, count: number): { text: string[]; label: string[] } {
  return { text: writer.list(count), label: letters.slice(0, count) };
}

/** WikiText's way of writing, every mark that is taken back. */
function page(writer: Writer): string {
  const tokens = [
    "@-@",
    "@,@",
    "@.@",
    ",",
    ".",
    ";",
    ":",
    "!",
    "?",
    "'s",
    "°",
    "N",
    "( a , b )",
    '" quoted "',
    "' x '",
    "[ y ]",
    "{ z }",
  ];
  const words = () =>
    Array.from({ length: 30 }, () => (writer.below(3) === 0 ? writer.pick(tokens) : writer.pick(nouns)));
  return ` = ${writer.clause()} = \n \n ${words().join(" ")} \n = = Part = = \n ${words().join(" ")} \n = = = Sub = = = \n\u00a0${words().join(" ")}\n`;
}

/** One for each instruction that is checked here, with arguments that short answers meet now and then. */
const instructions: readonly (readonly [string, Document])[] = [
  ["keywords:existence", { keywords: ["river", "M.on"] }],
  ["keywords:frequency", { keyword: " moon ", frequency: 2, relation: "at least" }],
  ["keywords:frequency", { keyword: "moon", frequency: 2, relation: "less than" }],
  ["keywords:forbidden_words", { forbidden_words: ["river", "Käse", "river"] }],
  ["keywords:letter_frequency", { letter: "E", let_frequency: 3, let_relation: "at least" }],
  ["keywords:letter_frequency", { letter: "q", let_frequency: 1, let_relation: "less than" }],
  ["length_constraints:number_paragraphs", { num_paragraphs: 2 }],
  ["length_constraints:number_words", { num_words: 6, relation: "at least" }],
  ["length_constraints:number_words", { num_words: 6, relation: "less than" }],
  ["length_constraints:nth_paragraph_first_word", { num_paragraphs: 2, nth_paragraph: 2, first_word: "Moon" }],
  ["detectable_content:number_placeholders", { num_placeholders: 2 }],
  ["detectable_content:postscript", { postscript_marker: "P.S." }],
  ["detectable_content:postscript", { postscript_marker: "P.P.S" }],
  ["detectable_content:postscript", { postscript_marker: "Note:" }],
  ["detectable_format:number_bullet_lists", { num_bullets: 2 }],
  ["detectable_format:constrained_response", {}],
  ["detectable_format:number_highlighted_sections", { num_highlights: 2 }],
  ["detectable_format:multiple_sections", { section_spliter: "Section", num_sections: 2 }],
  ["detectable_format:json_format", {}],
  ["detectable_format:title", {}],
  ["combination:two_responses", {}],
  ["combination:repeat_prompt", { prompt_to_repeat: "Say it " }],
  ["startend:end_checker", { end_phrase: "The End." }],
  ["startend:quotation", {}],
  ["punctuation:no_comma", {}],
];

const argumentNames = [...new Set(instructions.flatMap(([, args]) => Object.keys(args)))];

/** The columns of every instruction are there, most without a value, as the data set has them. */
function ifeval(writer: Writer, index: number): Document {
  const chosen = [instructions[index % instructions.length]];
  if (writer.below(2) === 0) chosen.push(writer.pick(instructions));
  const none = Object.fromEntries(argumentNames.map((name) => [name, null]));
  return {
    key: index,
    prompt: writer.text(),
    instruction_id_list: chosen.map(([id]) => id),
    kwargs: chosen.map(([, args]) => ({ ...none, ...args })),
  };
}

/** Answers of the hashing model: some right, some nearly, for every generating task. */
export const scriptedAnswers: readonly string[] = [
  " The answer is 42. So #### 42",
  " 7 + 35 = 42.\n#### 42.\nQuestion: #### 3",
  " It costs $1,234.50\n#### 1,234.50",
  " The answer is -3. Then The answer is 5.",
  " the Moon.",
  "  A Moon\nQuestion",
  " Moon!",
  "",
  " ",
  "river moon moon, Mxon e e e river.",
  "First words here ***\nsecond part *** ",
  "one\n\nMoon, two\n\n",
  "one\n\n'Moon' two",
  "[a] and [b\nc] and [d]",
  "text p.s. more\nP. P. S. last",
  "note: this",
  "* one\n* two",
  "- one\n  - two\n**not a bullet",
  "My answer is maybe. Or not",
  "*a* and **b** and ** **",
  "Section 1 text section 2\nSection 2 more",
  '```json\n{"a": [1, NaN, "x"]}\n```',
  "{'a': 1}",
  "<<title>> text <<>>",
  "one ****** two",
  "same ****** same",
  "****** one ****** ******",
  "Say it\nand then",
  'and so. The End."',
  '"quoted"',
  "Käse, Käse",
  "line one\n* starred *\nThe End.",
  "    return number + 1\n\n\ndef other():\n    pass",
  "    return 0\nprint(1)",
  " (A) or rather (C)",
  "It is the moon river, surely.",
  "My choice: B",
  " -3 moons, 1,234.50 rivers",
];

const generators: Record<string, (writer: Writer, index: number, task: Task) => Document> = {
  ai2_arc: (writer) => {
    const count = 3 + writer.below(3);
    return { question: writer.text(), choices: lettered(writer, count), answerKey: letters[writer.below(count)] };
  },
  openbookqa: (writer) => ({
    question_stem: writer.text(),
    choices: lettered(writer, 4),
    answerKey: `${writer.pick(["", " "])}${letters[writer.below(4)]}`,
  }),
  super_glue: (writer) => ({ passage: writer.text(), question: writer.clause(), label: writer.below(2) }),
  hellaswag: (writer) => ({
    ind: writer.below(1000),
    activity_label: writer.pick(["Removing ice", "Finance and Business [header]"]),
    ctx_a: writer.text(),
    ctx_b: writer.pick(["", "THE man", "éclair x", "she THEN"]),
    endings: writer.list(4),
    label: String(writer.below(4)),
  }),
  piqa: (writer) => ({ goal: writer.text(), sol1: writer.text(), sol2: writer.text(), label: writer.below(2) }),
  winogrande: (writer) => ({
    sentence: `${writer.clause()} but the _ ${writer.text()}`,
    option1: writer.pick(nouns),
    option2: writer.pick(nouns),
    answer: String(1 + writer.below(2)),
  }),
  commonsense_qa: (writer) => ({
    question: ` ${writer.text()}`,
    choices: lettered(writer, 5),
    answerKey: letters[writer.below(5)],
  }),
  truthful_qa: (writer) => {
    const [one, several] = [2 + writer.below(4), 3 + writer.below(4)];
    return {
      question: writer.text(),
      mc1_targets: { choices: writer.list(one), labels: [1, ...new Array(one - 1).fill(0)] },
      mc2_targets: {
        choices: writer.list(several),
        labels: Array.from({ length: several }, (_, i) => (i < 2 ? 1 : 0)),
      },
    };
  },
  mmlu: (writer, _, task) => ({
    question: ` ${writer.text()} `,
    subject: task.dataset!.config,
    choices: writer.list(4),
    answer: writer.below(4),
  }),
  gsm8k: (writer) => ({
    question: writer.text(),
    answer: `${writer.text()}\n#### ${writer.pick(["42", "1,234.50", "5"])}`,
  }),
  trivia_qa: (writer) => ({
    question: writer.clause(),
    answer: {
      value: "Moon",
      aliases: writer.pick([["The Moon", "moon"], ["Käse"], ["1, 2", "A MOON"], ["[x]", "moon"]]),
    },
  }),
  IFEval: ifeval,
  wikitext_document_level: (writer) => ({ page: page(writer) }),
  lambada_openai: (writer) => ({ text: `${writer.text()} ${writer.clause()} ${writer.pick(["end", "moon's", "猫"])}` }),
  option_questions: (writer, _, task) => {
    const count = Number(task.dataset!.config);
    return { question: writer.text(), choices: writer.list(count), label: writer.below(count) };
  },
  option_problems: (writer) => ({
    question: writer.clause(),
    choices: ["The moon", "the moon river", "$Käse", writer.pick(nouns)],
    letter: `(${letters[writer.below(4)]})`,
    number: writer.pick(["42", "1,234.50", "-3", "5"]),
    thing: writer.pick(["moon", "river", "Käse"]),
    class: String(writer.below(2)),
  }),
  openai_humaneval: (writer, index) => {
    const name = `f${index}`;
    return {
      task_id: `X/${index}`,
      prompt: `def ${name}(number):\n    """ ${writer.clause().replaceAll('"', "")} """\n`,
      test: `def check(candidate):\n    assert candidate(1) == ${writer.pick([0, 2])}\n`,
      entry_point: name,
      canonical_solution: "    return number + 1\n",
    };
  },
};

/** `count` documents for `split`, or null if the schema of the task's data set is not known. */
export function fixtureDocuments(task: Task, split: string, count: number): Document[] | null {
  const name = task.dataset?.path.split("/").at(-1) ?? "";
  const generate = Object.hasOwn(generators, name) ? generators[name] : undefined;
  if (generate === undefined) return null;
  const seed = [...`${name}/${task.dataset?.config}/${split}`].reduce(
    (sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0,
    7,
  );
  const writer = new Writer(seed);
  return Array.from({ length: count }, (_, index) => generate(writer, index, task));
}
