/** `text.format(*args, **kwargs)`. */
import { formatValue } from "./format_spec.ts";
import { PythonError } from "./python_error.ts";
import type { Kwargs } from "./signature.ts";
import { pythonRepr, pythonStr } from "./values.ts";

/** How fields look up `{0.name[key]}`: the rules of the caller's environment. */
export interface FieldAccess {
  attribute(value: unknown, name: string): unknown;
  item(value: unknown, key: unknown): unknown;
}

const part = /\.([^.[]+)|\[([^\]]+)\]/gy;

/**
 * @param keep what becomes of each formatted field
 * @throws {PythonError}
 */
export function formatText(
  format: string,
  args: readonly unknown[],
  kwargs: Kwargs,
  access: FieldAccess,
  keep: (text: string, value: unknown) => string = (text) => text,
): string {
  let automatic = 0;
  const field = (name: string): unknown => {
    const first = /^[^.[]*/.exec(name)![0];
    const key = first === "" ? String(automatic++) : first;
    let value: unknown;
    if (/^\d+$/.test(key)) {
      if (Number(key) >= args.length)
        throw new PythonError(`Replacement index ${key} out of range for positional args tuple`);
      value = args[Number(key)];
    } else {
      if (!kwargs.has(key)) throw new PythonError(`format() has no value for ${pythonRepr(key)}`);
      value = kwargs.get(key);
    }
    part.lastIndex = first.length;
    for (let match = part.exec(name); match !== null; match = part.exec(name)) {
      const [, attribute, item] = match;
      if (attribute !== undefined) value = access.attribute(value, attribute);
      else value = access.item(value, /^\d+$/.test(item) ? Number(item) : item);
    }
    return value;
  };
  const expand = (text: string, depth: number): string => {
    if (depth > 2) throw new PythonError("Max string recursion exceeded");
    let result = "";
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      if ((character === "{" || character === "}") && text[i + 1] === character && depth === 1) {
        result += character;
        i++;
      } else if (character === "}") throw new PythonError("Single '}' encountered in format string");
      else if (character === "{") {
        const end = closingBrace(text, i);
        const [, name, conversion, spec] =
          /^([^!:]*(?:\[[^\]]*\][^!:]*)*)(?:!([\s\S]))?(?::([\s\S]*))?$/.exec(text.slice(i + 1, end)) ?? [];
        if (name === undefined) throw new PythonError("expected ':' after conversion specifier");
        let value = field(name);
        const fieldSpec = expand(spec ?? "", depth + 1);
        if (conversion === "r" || conversion === "a") value = pythonRepr(value);
        else if (conversion === "s") value = pythonStr(value);
        else if (conversion !== undefined) throw new PythonError(`Unknown conversion specifier '${conversion}'`);
        const formatted = formatValue(value, fieldSpec);
        result += depth === 1 ? keep(formatted, value) : formatted;
        i = end;
      } else result += character;
    }
    return result;
  };
  return expand(format, 1);
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  throw new PythonError("expected '}' before end of string");
}
