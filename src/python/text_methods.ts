/** Methods of `str`. Positions count code points. */
import { dictEntries, isDict } from "./dict.ts";
import { PythonError } from "./python_error.ts";
import { PythonObject } from "./python_object.ts";
import { itemOf } from "./sequences.ts";
import { type Callable, callable } from "./signature.ts";
import { type FieldAccess, formatText } from "./str_format.ts";
import { capitalize, caseFold, swapCase, textQuestions, titled } from "./text_case.ts";
import {
  countText,
  expandTabs,
  fillZeros,
  findText,
  flagArgument,
  hasAffix,
  joinTexts,
  justify,
  partition,
  replaceText,
  splitFromRight,
  splitLines,
  splitText,
  stripText,
  textArgument,
} from "./text_parts.ts";
import { pythonRepr, typeName } from "./values.ts";

type TextMethod = (text: string, ...args: unknown[]) => unknown;

const needed = (name: string, at: number): number => {
  if (at < 0) throw new PythonError(`${name}: substring not found`);
  return at;
};

const methods: Record<string, readonly [parameters: string, run: TextMethod]> = {
  strip: ["chars?", (text, set) => stripText(text, set, "both")],
  lstrip: ["chars?", (text, set) => stripText(text, set, "left")],
  rstrip: ["chars?", (text, set) => stripText(text, set, "right")],
  lower: ["", (text) => text.toLowerCase()],
  upper: ["", (text) => text.toUpperCase()],
  capitalize: ["", capitalize],
  title: ["", titled],
  swapcase: ["", swapCase],
  casefold: ["", caseFold],
  split: ["sep? maxsplit?", splitText],
  rsplit: ["sep? maxsplit?", splitFromRight],
  splitlines: ["keepends?", (text, keepEnds) => splitLines(text, flagArgument(keepEnds))],
  partition: ["sep", (text, separator) => partition(text, separator, false)],
  rpartition: ["sep", (text, separator) => partition(text, separator, true)],
  replace: [
    "old new count?",
    (text, from, to, count) => replaceText(text, textArgument("replace", from), textArgument("replace", to), count),
  ],
  startswith: ["prefix start? end?", (text, part, start, stop) => hasAffix(text, part, start, stop, false)],
  endswith: ["suffix start? end?", (text, part, start, stop) => hasAffix(text, part, start, stop, true)],
  removeprefix: [
    "prefix",
    (text, prefix) => {
      const part = textArgument("removeprefix", prefix);
      return text.startsWith(part) ? text.slice(part.length) : text;
    },
  ],
  removesuffix: [
    "suffix",
    (text, suffix) => {
      const part = textArgument("removesuffix", suffix);
      return part !== "" && text.endsWith(part) ? text.slice(0, -part.length) : text;
    },
  ],
  find: ["sub start? end?", (text, part, start, stop) => findText(text, part, start, stop, false)],
  rfind: ["sub start? end?", (text, part, start, stop) => findText(text, part, start, stop, true)],
  index: ["sub start? end?", (text, part, start, stop) => needed("index", findText(text, part, start, stop, false))],
  rindex: ["sub start? end?", (text, part, start, stop) => needed("rindex", findText(text, part, start, stop, true))],
  count: ["sub start? end?", countText],
  join: ["iterable", joinTexts],
  center: ["width fillchar?", (text, width, fill) => justify(text, width, fill, "center")],
  ljust: ["width fillchar?", (text, width, fill) => justify(text, width, fill, "left")],
  rjust: ["width fillchar?", (text, width, fill) => justify(text, width, fill, "right")],
  zfill: ["width", fillZeros],
  expandtabs: ["tabsize?", expandTabs],
};

/** Python's own. */
export const plainAccess: FieldAccess = {
  attribute: (value, name) => {
    const found = value instanceof PythonObject ? value.attribute(name) : undefined;
    if (found === undefined) throw new PythonError(`'${typeName(value)}' object has no attribute '${name}'`);
    return found;
  },
  item: (value, key) => {
    const found = itemOf(value, key);
    if (found === undefined) throw new PythonError(`${pythonRepr(key)} is not in ${pythonRepr(value)}`);
    return found;
  },
};

/** The method `name` of a text; undefined if it has none. */
export function textMethod(text: string, name: string, access = plainAccess): Callable | undefined {
  if (Object.hasOwn(methods, name)) {
    const [parameters, run] = methods[name];
    return callable(name, parameters, (...args: unknown[]) => run(text, ...args));
  }
  if (Object.hasOwn(textQuestions, name)) return callable(name, "", () => textQuestions[name](text));
  if (name === "format") return (args, kwargs) => formatText(text, args, kwargs, access);
  if (name === "format_map") {
    return callable(name, "mapping", (mapping: unknown) => {
      if (!isDict(mapping)) throw new PythonError("format_map() needs a mapping");
      return formatText(text, [], new Map(dictEntries(mapping) as [string, unknown][]), access);
    });
  }
  return undefined;
}
