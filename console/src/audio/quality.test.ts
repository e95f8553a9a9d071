import { describe, expect, it } from "vitest";

import { judge, read } from "./quality";

describe("the quality of a line", () => {
  it("is unknown before anything was measured", () => {
    expect(judge({ roundTripMs: null, jitterMs: null, loss: null })).toBe("unknown");
  });

  it("is as bad as its worst figure", () => {
    expect(judge({ roundTripMs: 40, jitterMs: 5, loss: 0 })).toBe("good");
    expect(judge({ roundTripMs: 40, jitterMs: 5, loss: 0.02 })).toBe("fair");
    expect(judge({ roundTripMs: 40, jitterMs: 120, loss: 0 })).toBe("poor");
    expect(judge({ roundTripMs: 600, jitterMs: null, loss: null })).toBe("poor");
  });

  it("counts loss since the last look only", () => {
    const before = read(
      [{ type: "inbound-rtp", kind: "audio", packetsReceived: 900, packetsLost: 100, jitter: 0.01 }],
      null,
    );
    expect(before.loss).toBeCloseTo(0.1);
    const now = read(
      [{ type: "inbound-rtp", kind: "audio", packetsReceived: 1000, packetsLost: 100, jitter: 0.012 }],
      before,
    );
    expect(now).toMatchObject({ loss: 0, jitterMs: 12 });
  });

  it("prefers the round trip that the other side told", () => {
    const reading = read(
      [
        { type: "candidate-pair", state: "succeeded", currentRoundTripTime: 0.5 },
        { type: "remote-inbound-rtp", roundTripTime: 0.08 },
      ],
      null,
    );
    expect(reading.roundTripMs).toBe(80);
    expect(reading.loss).toBeNull();
  });
});
