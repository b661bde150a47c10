/**
 * The Jinja templates of task files (`doc_to_text` and others), rendered as lm-evaluation-harness renders them: an
 * error for a field that is missing (StrictUndefined), the final line break kept, a filter `regex_replace`.
 */
import { UserError } from "../../errors/user_error.ts";
import { builtInTests } from "../../jinja/built_in_tests.ts";
import type { Environment } from "../../jinja/environment.ts";
import { builtInFilters } from "../../jinja/filters/built_in_filters.ts";
import { filter } from "../../jinja/filters/filter.ts";
import { defaultGlobals } from "../../jinja/globals.ts";
import { JinjaError } from "../../jinja/jinja_error.ts";
import { JinjaTemplate } from "../../jinja/template.ts";
import { regexReplace } from "../../python/regex_replace.ts";
import { textArgument } from "../../python/text_parts.ts";

/** The template cannot be parsed, or not be computed for a document. */
export class TemplateError extends UserError {
  override name = "TemplateError";
}

const text = (value: unknown) => textArgument("regex_replace", value);

const environment: Environment = {
  trimBlocks: false,
  lstripBlocks: false,
  keepTrailingNewline: true,
  extensions: [],
  strictUndefined: true,
  sandboxed: false,
  filters: {
    ...builtInFilters,
    regex_replace: filter("regex_replace", "pattern repl count?", (_, value, pattern, replacement, count) =>
      regexReplace(text(pattern), text(replacement), text(value), Number(count ?? 0)),
    ),
  },
  tests: builtInTests,
  globals: defaultGlobals(false),
};

export class Template {
  private readonly template: JinjaTemplate;

  /** @throws {TemplateError} if `source` is not Jinja. */
  constructor(source: string) {
    this.template = named(() => new JinjaTemplate(source, environment), "not a valid template: ");
  }

  /** @throws {TemplateError} that names a field that is missing or what cannot be computed. */
  render(fields: Readonly<Record<string, unknown>>): string {
    return named(() => this.template.render(fields));
  }

  /**
   * The value itself if the template is one expression, `{{choices.text}}`; else the rendered text.
   * @throws {TemplateError}
   */
  value(fields: Readonly<Record<string, unknown>>): unknown {
    return named(() => this.template.value(fields));
  }
}

function named<T>(action: () => T, prefix = ""): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof JinjaError) throw new TemplateError(prefix + error.message);
    throw error;
  }
}
