/** Parts of the schemas of documents. */
import { z } from "zod";
import { PythonFloat } from "../../python/values.ts";

/** A whole number; a float that is one, too (a column with a gap has floats). */
export const wholeNumber = z.preprocess((value) => (value instanceof PythonFloat ? value.value : value), z.int());
