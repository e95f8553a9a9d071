import { describe, expect, it } from "vitest";

import type { Turn } from "../api/schema";
import { turnAt } from "./turnAt";

const turns = [0.5, 3, 3, 8].map((at_s) => ({ at_s }) as Turn);

describe("the turn that is heard", () => {
  it("is the last one that has begun", () => {
    expect([0, 0.5, 2.9, 3, 7.9, 8, 900].map((at) => turnAt(turns, at))).toEqual([-1, 0, 0, 2, 2, 3, 3]);
  });

  it("is none where no words were kept", () => {
    expect(turnAt([], 5)).toBe(-1);
  });
});
