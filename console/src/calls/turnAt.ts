import type { Turn } from "../api/schema";

/** Which turn is being heard at that second of the recording; -1 before the first. Turns stand in their order. */
export function turnAt(turns: readonly Turn[], seconds: number): number {
  let [low, high] = [0, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((turns[middle]?.at_s ?? Infinity) <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
