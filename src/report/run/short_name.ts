/** `model.layers.0.self_attn.q_proj.weight` -> `0 q_proj`: what a figure has room for. */
export function shortName(name: string): string {
  const [, layer, rest = name] = /layers\.(\d+)\.(.*)$/.exec(name) ?? [];
  const last = rest
    .replace(/\.weight$/, "")
    .split(".")
    .at(-1)!;
  return layer === undefined ? last : `${layer} ${last}`;
}
