/** What other programs make of a head that was trained to multiply integers. */
import type { ExportRequest, ModelChange } from "./target.ts";

/** Of llama.cpp and its forks: the codes and scales are those of training, the hidden states are quantized otherwise. */
export function headNote({ embeddingDtype }: ExportRequest, reader: string): string | null {
  if (embeddingDtype !== "int8_row") return null;
  return `${reader} reads the int8 head as plain Q8_0 and quantizes hidden states per 32 elements instead of per token`;
}

/** Of readers that multiply the values of the codes in floats. */
export function floatHeadChange({ embeddingDtype }: ExportRequest, reader: string): ModelChange[] {
  if (embeddingDtype !== "int8_row") return [];
  return [
    {
      text: `${reader} multiplies the values of the int8 head in float32, and does not quantize hidden states`,
      config: { embeddingDtype: "f32" },
      embeddingRoundedTo: "int8_row",
    },
  ];
}

/** Two notes as one; null if there is none. */
export function joinedNotes(...notes: (string | null)[]): string | null {
  const given = notes.filter((note) => note !== null);
  return given.length === 0 ? null : given.join("; ");
}
