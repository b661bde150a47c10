/**
 * What is wrong with a document that is used all the same: its label is none of the choices, a field that the prompt shows is
 * missing, an answer has no token.
 */
export interface DocumentProblem {
  kind: "label" | "field" | "token";
  message: string;
}

export interface LocatedProblem extends DocumentProblem {
  place: string;
}

export const missingField = (name: string): DocumentProblem => ({
  kind: "field",
  message: `there is no field "${name}"`,
});
