/** The filters that every template has. */
import type { Filter } from "../environment.ts";
import { htmlFilters } from "./html_filters.ts";
import { mappingFilters } from "./mapping_filters.ts";
import { numberFilters } from "./number_filters.ts";
import { sequenceFilters } from "./sequence_filters.ts";
import { textFilters } from "./text_filters.ts";

export const builtInFilters: Readonly<Record<string, Filter>> = {
  ...textFilters,
  ...htmlFilters,
  ...numberFilters,
  ...sequenceFilters,
  ...mappingFilters,
};
