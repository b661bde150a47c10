/**
 * What a task reads in its documents: text, target, choices (`ConfigurableTask.doc_to_*` of lm-evaluation-harness 0.4).
 *
 * Like there, the first scored document decides which names are fields, whether the choices stand in the context
 * (`doc_to_text` is then the index of the right one), and whether there are several targets.
 */

import { DocumentError, type JsonObject } from "../../data/document.ts";
import { parseLiteral } from "../../python/literal.ts";
import { pythonRepr, pythonStr } from "../../python/values.ts";
import type { FieldRule, PromptRules, Task } from "../task/task.ts";
import { TemplateError } from "../task/template.ts";
import { type Gold, goldOf } from "./gold.ts";

export class DocumentReader {
  /** The choices are contexts: `text` is the index of the right one. */
  readonly hasContextChoices: boolean;
  /** The target is a list: each of its entries is right. */
  readonly hasSeveralTargets: boolean;
  private readonly task: Task;
  private readonly fields: ReadonlySet<string>;

  /** @throws {DocumentError} if `first` is not a document of the task. */
  constructor(task: Task, first: JsonObject) {
    this.task = task;
    this.fields = new Set(Object.keys(first));
    this.hasContextChoices = task.prompt.choices !== null && typeof this.text(first) === "number";
    this.hasSeveralTargets = Array.isArray(this.target(first));
  }

  /** The question; the index of the right context where the choices stand in the context. */
  text(document: JsonObject, rules: PromptRules = this.task.prompt): string | number {
    const value = this.read("doc_to_text", rules.text, document, "text");
    if (typeof value === "string") return this.isIndex(value, rules.text) ? Number(value) : value;
    if (typeof value === "number") return value;
    throw new DocumentError(`doc_to_text must give a text, not ${describe(value)}`);
  }

  /** The answer: a text, the index of a choice, or a list of these. */
  target(document: JsonObject, rules: PromptRules = this.task.prompt): unknown {
    const { target } = rules;
    const value = this.read("doc_to_target", target, document);
    if (target.kind !== "template" || this.fields.has(target.source)) return value;
    if (Array.isArray(value)) return value;
    const text = pythonStr(value);
    const isList = text.length >= 2 && text.startsWith("[") && text.endsWith("]");
    if (isList) return parseLiteral(text) ?? text;
    return this.isIndex(text, target) ? Number(text) : text;
  }

  /** The choices; null for tasks without. */
  choices(document: JsonObject, rules: PromptRules = this.task.prompt): string[] | null {
    if (rules.choices === null) return null;
    let value = this.read("doc_to_choice", rules.choices, document);
    if (typeof value === "string") value = parseLiteral(value) ?? value;
    if (Array.isArray(value) && value.length > 0) return value.map(pythonStr);
    throw new DocumentError(`doc_to_choice must give a list of choices, not ${describe(value)}`);
  }

  /** What the answer begins with; null for most tasks. */
  genPrefix(document: JsonObject, rules: PromptRules = this.task.prompt): string | null {
    return rules.genPrefix === null ? null : pythonStr(this.read("gen_prefix", rules.genPrefix, document, "text"));
  }

  description(document: JsonObject): string {
    const rule = this.task.description;
    if (rule === null || (rule.kind === "template" && rule.source === "")) return "";
    return pythonStr(this.read("description", rule, document, "text"));
  }

  /** The right choices, from the target. */
  gold(document: JsonObject, choices: readonly string[], rules: PromptRules = this.task.prompt): Gold {
    return goldOf(this.hasContextChoices ? this.text(document, rules) : this.target(document, rules), choices);
  }

  /**
   * Of the fields that the document does not have, those that its prompt or target shows as None. Where a target is the
   * index of a choice, `gold` says so.
   */
  shownFields(document: JsonObject, fields: readonly string[], rules: PromptRules = this.task.prompt): string[] {
    const nones = (of: JsonObject) => {
      const choices = this.choices(of, rules);
      return pythonStr([this.text(of, rules), choices, choices === null ? this.target(of, rules) : 0]).split("None")
        .length;
    };
    return fields.filter((field) => {
      try {
        // As false as None, but not seen.
        return nones(document) > nones({ ...document, [field]: "" });
      } catch (error) {
        if (error instanceof DocumentError) return true;
        throw error;
      }
    });
  }

  /**
   * What the rule of `key` gives: a field of the document, a template, the result of a function. Choices and targets keep the value of a template of
   * one expression: its text, read back, would be the same.
   */
  private read(key: string, rule: FieldRule, document: JsonObject, as: "text" | "value" = "value"): unknown {
    if (rule.kind === "constant") return rule.value;
    if (rule.kind === "function") return rule.call(document);
    if (this.fields.has(rule.source)) {
      if (!(rule.source in document)) throw new DocumentError(`${key}: field "${rule.source}" is missing`);
      return document[rule.source];
    }
    try {
      return as === "text" ? rule.template.render(document) : rule.template.value(document);
    } catch (error) {
      if (error instanceof TemplateError) throw new DocumentError(`${key}: ${error.message}`);
      throw error;
    }
  }

  /** A rendered number is the index of a choice; that of a field stays what it is. */
  private isIndex(text: string, rule: FieldRule): boolean {
    const isRendered = rule.kind === "template" && !this.fields.has(rule.source);
    return isRendered && this.task.prompt.choices !== null && /^\d+$/.test(text);
  }
}

function describe(value: unknown): string {
  return pythonRepr(value).slice(0, 100);
}
