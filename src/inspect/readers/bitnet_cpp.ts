/**
 * bitnet.cpp, Microsoft's fork of llama.cpp, by the time of its build and by machine: the order in which I2_S is read
 * depends on both.
 */
import { type I2sOrder, i2sOrderTexts } from "../../gguf/i2_s_orders.ts";
import { bitnetGraphRule, foldedRule, ggmlRules, hardCodedAct, llamaGraphRule, trainedAct } from "./ggml_rules.ts";
import { ggmlTypes } from "./ggml_types.ts";
import { computes, computesElse, notKnown, type Reader, type Rule, refuses } from "./reader.ts";

/** First release; `bitnet-b1.58` (commit 488dc1e); other kernels of I2_S (#353); another llama.cpp below (#584). */
const versions = ["2024-10", "2025-04", "2026-01", "2026-07"];
const [, named, newKernels, newBase] = [0, 1, 2, 3];

function sizeOf(typeNumber: number) {
  // n / 4 bytes of codes, then the scale.
  if (typeNumber === 36) return { elements: 4, bytes: 1, tail: 32 };
  const type = ggmlTypes.get(typeNumber);
  return type?.since !== undefined && type.since > "2024-09" ? undefined : type;
}

const generatedKernels: Rule = ({ facts }) =>
  facts.gguf?.placed.some(({ type }) => /^TL[12] /.test(type))
    ? notKnown("TL1 and TL2 need kernels generated for the shapes of the model, on the machine that wrote them")
    : null;

const architectureRule: Rule = ({ facts: { architecture }, version }) => {
  const relu2 = ["bitnet-b1.58", "bitnet-25"].includes(architecture);
  if (relu2 && version < named) return refuses(`unknown model architecture: '${architecture}'`);
  if (architecture === "bitnet-lab") return refuses("unknown model architecture: 'bitnet-lab'");
  const known = relu2 || ["bitnet", "llama"].includes(architecture);
  return known ? null : notKnown(`whether it has a graph for "${architecture}"`);
};

const graphRule: Rule = (question) =>
  question.facts.architecture === "llama" ? llamaGraphRule(question) : bitnetGraphRule(question);

const actRule: Rule = (question) => {
  const { architecture } = question.facts;
  const relu2 = architecture !== "bitnet" && architecture !== "llama" && question.version < newBase;
  const wrong = hardCodedAct(question, relu2 ? "relu2" : "silu");
  if (wrong !== null) return wrong;
  if (trainedAct(question) !== null || architecture === "llama") return null;
  // The name says relu^2, where nothing else speaks.
  if (architecture === "bitnet" || relu2) return null;
  return computesElse(
    `gated SiLU, which it has for bitnet-b1.58 too since then; the architecture means relu^2 (microsoft/BitNet #588)`,
  );
};

function orderRule(machine: "x86" | "arm"): Rule {
  return ({ facts, evidence, version }) => {
    if (!facts.linearTypes.some((type) => type === "I2_S")) return null;
    const read: I2sOrder = machine === "arm" && version >= newKernels ? "arm" : "x86";
    const found = evidence.i2sOrder;
    if (found === null) {
      return read === "x86"
        ? null
        : computesElse(
            `I2_S in the order ${i2sOrderTexts.arm}; its converter and most files have ${i2sOrderTexts.x86}, and nothing in this one says which (microsoft/BitNet #585)`,
          );
    }
    if (found.name === read) return null;
    return computesElse(
      `it takes the codes of I2_S in the order ${i2sOrderTexts[read]}; they are in ${i2sOrderTexts[found.name as I2sOrder]} (${found.why})`,
    );
  };
}

const remark: Rule = (question) => {
  const { facts, evidence } = question;
  const parts = [
    ...(facts.linearTypes.some((type) => type.startsWith("TQ"))
      ? ["activations are quantized per 256 elements instead of per token: logits agree within a tolerance"]
      : []),
    ...(facts.linearTypes.includes("I2_S") && evidence.i2sOrder === null
      ? ["if the codes of I2_S are in the order of x86, which nothing in the file says"]
      : []),
    ...(facts.architecture === "bitnet" && trainedAct(question) === null
      ? ["with gated SiLU: nothing says whether the model was trained so"]
      : []),
  ];
  return parts.length === 0 ? null : computes(parts.join("; "));
};

function bitnetCpp(machine: "x86" | "arm"): Reader {
  return {
    name: machine === "x86" ? "bitnet.cpp, x86" : "bitnet.cpp, ARM",
    versions,
    rules: [
      generatedKernels,
      ...ggmlRules("bitnet.cpp", sizeOf, () => undefined),
      architectureRule,
      foldedRule,
      graphRule,
      orderRule(machine),
      actRule,
      remark,
    ],
    sources: [
      "microsoft/BitNet src/ggml-bitnet-mad.cpp (quantize_i2_s, QK_I2_S), commits 488dc1e, 112f853, 425fbbc",
      "microsoft/BitNet #411, #585, #598 (order on ARM), #588 (SiLU)",
    ],
  };
}

export const bitnetCppX86 = bitnetCpp("x86");
export const bitnetCppArm = bitnetCpp("arm");
