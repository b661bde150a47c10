/**
 * In which order, and in which calls, log-likelihood requests go to the engine. The engine runs what neighbours have in
 * common once (`cc/inference/score_plan.h`); sorted by their ids, all requests that begin alike are neighbours: the answers
 * to a question, the questions behind the same examples. Rows of different lengths need no padding, so nothing is gained
 * by packing equal lengths.
 */
import type { LoglikelihoodRequest } from "../../src/language_model/language_model.ts";
import { commonPrefix, requestLength, sharingOrder } from "../../src/language_model/sharing_order.ts";

/** How long a call should take: progress is reported, and answers are kept, between calls. */
const callSeconds = 1;
const firstCallPositions = 1024;
const largestCallPositions = 65_536;

/** Cuts the ordered requests into calls of about {@link callSeconds}, by the speed of the calls before. */
export class ScoreSchedule {
  /** Indices of the requests, in the order in which they are scored. */
  readonly order: readonly number[];
  private readonly requests: readonly LoglikelihoodRequest[];
  private next = 0;
  private positions = firstCallPositions;

  constructor(requests: readonly LoglikelihoodRequest[]) {
    this.requests = requests;
    this.order = sharingOrder(requests);
  }

  /** The indices of the next call; empty when all are done. */
  nextCall(): number[] {
    const begin = this.next;
    for (let positions = 0; this.next < this.order.length; this.next++) {
      positions += this.newPositions(this.next);
      if (this.next > begin && positions > this.positions) break;
    }
    return this.order.slice(begin, this.next);
  }

  /** Tells how long the last call took. */
  took(seconds: number): void {
    // Twice as many or half as many at most: one slow call (the machine was busy) should not decide.
    const factor = Math.min(2, Math.max(0.5, callSeconds / Math.max(seconds, 1e-3)));
    this.positions = Math.min(
      largestCallPositions,
      Math.max(firstCallPositions / 4, Math.round(this.positions * factor)),
    );
  }

  /** Positions that the request at a place of the order adds to those before. */
  private newPositions(place: number): number {
    const request = this.requests[this.order[place]];
    if (place === 0) return requestLength(request);
    return Math.max(1, requestLength(request) - commonPrefix(this.requests[this.order[place - 1]], request));
  }
}
