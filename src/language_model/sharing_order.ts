/** The order of requests in which those that begin alike are neighbours, so that what they share need be run once. */
import type { LoglikelihoodRequest } from "./language_model.ts";

function idAt({ context, continuation }: LoglikelihoodRequest, position: number): number {
  return position < context.length ? context[position] : continuation[position - context.length];
}

export function requestLength({ context, continuation }: LoglikelihoodRequest): number {
  return context.length + continuation.length;
}

/** Number of ids that both begin with. */
export function commonPrefix(a: LoglikelihoodRequest, b: LoglikelihoodRequest): number {
  const limit = Math.min(requestLength(a), requestLength(b));
  let shared = 0;
  while (shared < limit && idAt(a, shared) === idAt(b, shared)) shared++;
  return shared;
}

function compareIds(a: LoglikelihoodRequest, b: LoglikelihoodRequest): number {
  const shared = commonPrefix(a, b);
  if (shared < requestLength(a) && shared < requestLength(b)) return idAt(a, shared) - idAt(b, shared);
  // The longer one first: what the shorter one needs has been run then.
  return requestLength(b) - requestLength(a);
}

/** Indices of the requests, sorted by their ids. */
export function sharingOrder(requests: readonly LoglikelihoodRequest[]): number[] {
  return Array.from(requests.keys()).sort((a, b) => compareIds(requests[a], requests[b]) || a - b);
}
