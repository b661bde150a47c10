/** Our own engine and checkpoint reader, as the versions of this package are. */
import { type I2sOrder, i2sOrderTexts } from "../../gguf/i2_s_orders.ts";
import type { ModelFacts } from "../model_facts.ts";
import { hardCodedAct } from "./ggml_rules.ts";
import { computes, computesElse, notKnown, type Reader, type Rule, refuses } from "./reader.ts";

const faultRule: Rule = ({ facts: { faults } }) => (faults.length > 0 ? refuses(faults[0]) : null);

/** What the engine said when it was asked is the answer. */
const engineRule: Rule = ({ evidence: { engine } }) => (engine === null || engine === "" ? null : refuses(engine));

const orderRule: Rule = ({ evidence: { i2sOrder } }) =>
  i2sOrder === null || i2sOrder.name === "x86"
    ? null
    : computesElse(
        `it takes the codes of I2_S in the order ${i2sOrderTexts.x86}; they are in ${i2sOrderTexts[i2sOrder.name as I2sOrder]} (${i2sOrder.why})`,
      );

const actRule: Rule = (question) => {
  const { architecture, container } = question.facts;
  if (container !== "gguf") return null;
  if (architecture === "bitnet" || architecture === "llama") return hardCodedAct(question, "silu");
  return architecture.startsWith("bitnet-") && architecture !== "bitnet-lab" ? hardCodedAct(question, "relu2") : null;
};

const scaleRule: Rule = ({ facts: { folder }, evidence: { scaleMeaning } }) => {
  if (folder?.quantization == null || scaleMeaning === null) return null;
  const stated = folder.quantization.linearClass === "autobitlinear" ? "multiplies" : "divides";
  if (stated === scaleMeaning.name) return null;
  return computesElse(
    `as linear_class says, weight_scale ${stated}; the values are for one that ${scaleMeaning.name}: ${scaleMeaning.why}`,
  );
};

const foldedRule: Rule = ({ facts: { gguf } }) =>
  gguf?.isFolded ? refuses("the weights are folded with a Hadamard rotation (prism.hadamard.*)") : null;

const remark: Rule = ({ facts, evidence }) => {
  if (facts.container === "gguf" && evidence.engine === null)
    return notKnown("the engine was not asked; its reader of the header takes the file");
  if (
    facts.container === "gguf" &&
    facts.architecture === "llama" &&
    facts.linearTypes.some((type) => /^TQ|^I2_S/.test(type))
  ) {
    return computes("with int8 activations: a llama file cannot say whether it was trained with them");
  }
  if (facts.container === "gguf" && isForeignGroups(facts)) {
    return computes(
      "with float activations, as the graph has them; llama.cpp rounds them to blocks of int8: logits agree within a tolerance",
    );
  }
  return null;
};

/** Groups of a few levels in a file that does not say whether activations were quantized. */
function isForeignGroups({ architecture, linearTypes, gguf }: ModelFacts): boolean {
  const saysNothing = !architecture.startsWith("bitnet") && gguf?.statesActivations === false;
  return saysNothing && linearTypes.some((type) => /^(?:Q[12]_0|PQ2_0|PTQ1_0|STQ1_0)/.test(type));
}

export const bitnetLab: Reader = {
  name: "bitnet-lab",
  versions: ["0.1"],
  rules: [faultRule, foldedRule, engineRule, orderRule, actRule, scaleRule, remark],
  sources: ["this package: src/gguf, src/checkpoint, native/cc/inference"],
};
