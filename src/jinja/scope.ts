/** Names and values while a template is rendered. */

import { undefinedOf } from "./attributes.ts";
import type { Environment } from "./environment.ts";
import { JinjaError } from "./jinja_error.ts";
import type { Undefined } from "./undefined.ts";

/** Stands for a name that an inner scope will assign to, and has not yet. */
const missing = Symbol("missing");

/** Rounds of all loops of one rendering: a template from a stranger shall come to an end. */
const mostRounds = 5_000_000;

/** What is shared by all scopes of one rendering. */
export class RenderState {
  readonly environment: Environment;
  /** Of the statement that is being computed, for messages. */
  line = 1;
  #rounds = 0;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  /** @throws {JinjaError} after very many rounds */
  countRound(): void {
    if (++this.#rounds > mostRounds) throw new JinjaError(`the loops go on for more than ${mostRounds} rounds`);
  }
}

export class Scope {
  readonly state: RenderState;
  readonly #values = new Map<string, unknown>();
  readonly #parent: Scope | null;

  /** @param missingNames undefined until they are set, whatever the outer scopes have */
  constructor(state: RenderState, parent: Scope | null, missingNames: readonly string[] = []) {
    this.state = state;
    this.#parent = parent;
    for (const name of missingNames) this.#values.set(name, missing);
  }

  set(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  get(name: string): unknown {
    for (let scope: Scope | null = this; scope !== null; scope = scope.#parent) {
      const value = scope.#values.get(name);
      if (value === missing) return this.#undefined(name);
      if (value !== undefined) return value;
    }
    return this.state.environment.globals.get(name) ?? this.#undefined(name);
  }

  #undefined(name: string): Undefined {
    return undefinedOf(this.state.environment, `'${name}' is undefined`);
  }

  inner(missingNames: readonly string[] = []): Scope {
    return new Scope(this.state, this, missingNames);
  }
}
