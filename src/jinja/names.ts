/**
 * Which names a scope assigns to before anything asks for them. Jinja2 decides when it compiles: such a name is undefined
 * until the assignment, in inner scopes too, whatever the variables of the template hold. (Its idtracking.py.)
 */
import type {
  CallStatement,
  Expression,
  ForStatement,
  MacroStatement,
  Parameter,
  Statement,
  Target,
} from "./syntax_tree.ts";

type Node = Statement | Expression | Target | Parameter | { [field: string]: unknown };

function isNode(value: unknown): value is Node {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function* children(node: Node): Generator<Node> {
  for (const field of Object.values(node)) {
    if (Array.isArray(field)) yield* field.filter(isNode);
    else if (isNode(field)) yield field;
  }
}

/** Names of one scope: known ones (asked for or assigned), assigned ones, and those that begin as missing. */
export class Names {
  readonly #parent: Names | null;
  #known = new Set<string>();
  #stored = new Set<string>();
  #missing = new Set<string>();

  constructor(parent: Names | null) {
    this.#parent = parent;
  }

  /** Names that are undefined where the scope begins. */
  get missing(): string[] {
    return [...this.#missing];
  }

  isKnown(name: string): boolean {
    return this.#known.has(name) || (this.#parent?.isKnown(name) ?? false);
  }

  declare(name: string): void {
    this.#stored.add(name);
    this.#known.add(name);
    this.#missing.delete(name);
  }

  load(name: string): void {
    if (!this.isKnown(name)) this.#known.add(name);
  }

  store(name: string): void {
    this.#stored.add(name);
    if (this.#known.has(name)) return;
    if (!this.#parent?.isKnown(name)) this.#missing.add(name);
    this.#known.add(name);
  }

  /** What is assigned in one of several branches only is looked up outside first. */
  branches(bodies: readonly (() => void)[]): void {
    const [known, stored, missing] = [this.#known, this.#stored, this.#missing];
    const results = bodies.map((visit) => {
      [this.#known, this.#stored, this.#missing] = [new Set(known), new Set(stored), new Set(missing)];
      visit();
      return [this.#known, this.#stored, this.#missing];
    });
    [this.#known, this.#stored, this.#missing] = [known, stored, missing];
    const conditional = new Set(results.flatMap(([, assigned]) => [...assigned]).filter((name) => !stored.has(name)));
    for (const [seen, assigned] of results) {
      for (const name of seen) known.add(name);
      for (const name of assigned) stored.add(name);
    }
    for (const name of conditional) missing.delete(name);
  }

  visitAll(nodes: Iterable<Node>): this {
    for (const node of nodes) this.visit(node);
    return this;
  }

  visit(node: Node): void {
    switch ((node as { kind?: string }).kind) {
      case "name":
        this.load((node as { name: string }).name);
        return;
      case "target":
        this.store((node as { name: string }).name);
        return;
      case "namespace":
        this.load((node as { name: string }).name);
        return;
      case "parameter":
        this.declare((node as { name: string }).name);
        break;
      case "if": {
        const { test, body, otherwise } = node as Statement & { kind: "if" };
        this.visit(test);
        this.branches([() => this.visitAll(body), () => this.visitAll(otherwise)]);
        return;
      }
      case "macro":
        this.store((node as { name: string }).name);
        return;
      // Bodies that are scopes of their own are not entered.
      case "for":
        this.visit((node as ForStatement).items);
        return;
      case "call block":
        this.visit((node as CallStatement).call);
        return;
      case "filter block":
        this.visit((node as { filter: Node }).filter);
        return;
      case "with":
        this.visitAll((node as { values: Node[] }).values);
        return;
      case "set block":
        this.visit((node as { target: Node }).target);
        return;
      case "block":
      case "generation":
        return;
    }
    this.visitAll(children(node));
  }

  /** Targets of a loop, or of `with`: they have values from the beginning. */
  declareTarget(target: Target): this {
    if (target.kind === "targets") for (const item of target.items) this.declareTarget(item);
    else this.declare(target.name);
    return this;
  }
}

/** Those of `names` that a body asks for without having assigned them. */
export function undeclaredNames(body: readonly Statement[], names: readonly string[]): Set<string> {
  const open = new Set(names);
  const found = new Set<string>();
  const visit = (node: Node): void => {
    const { kind, name } = node as { kind?: string; name?: string };
    if (kind === "block") return;
    if (kind === "name" && open.has(name!)) found.add(name!);
    else if (kind === "target" || kind === "parameter") open.delete(name!);
    for (const child of children(node)) visit(child);
  };
  body.forEach(visit);
  return found;
}

/** The scope of a macro, or of what a call block hands over. */
export function macroNames(parent: Names, macro: MacroStatement | CallStatement, special: Iterable<string>): Names {
  const names = new Names(parent).visitAll(macro.parameters);
  for (const name of special) names.declare(name);
  return names.visitAll(macro.body);
}
