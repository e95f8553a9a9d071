/** What was counted between two looks at a connection. Round trip and jitter in ms, loss 0..1. */
export interface Reading {
  roundTripMs: number | null;
  jitterMs: number | null;
  loss: number | null;
  packets: number;
  lost: number;
}

export type Quality = "good" | "fair" | "poor" | "unknown";

// Thresholds: one way below 150 ms is good by ITU-T G.114; from about 3 % loss on, words go missing with Opus at one
// frame per packet.
const FAIR = { roundTripMs: 200, jitterMs: 30, loss: 0.01 };
const POOR = { roundTripMs: 400, jitterMs: 80, loss: 0.05 };

export function judge({ roundTripMs, jitterMs, loss }: Pick<Reading, "roundTripMs" | "jitterMs" | "loss">): Quality {
  if (roundTripMs === null && jitterMs === null && loss === null) return "unknown";
  const above = (limit: typeof FAIR) =>
    (roundTripMs ?? 0) > limit.roundTripMs || (jitterMs ?? 0) > limit.jitterMs || (loss ?? 0) > limit.loss;
  return above(POOR) ? "poor" : above(FAIR) ? "fair" : "good";
}

interface Stat {
  type: string;
  kind?: string;
  nominated?: boolean;
  state?: string;
  currentRoundTripTime?: number;
  roundTripTime?: number;
  jitter?: number;
  packetsReceived?: number;
  packetsLost?: number;
}

/** Reads the statistics of a connection; loss is that since `before`. */
export function read(stats: Iterable<Stat>, before: Reading | null): Reading {
  let roundTrip: number | undefined;
  let jitter: number | undefined;
  let packets = 0;
  let lost = 0;
  for (const stat of stats) {
    if (stat.type === "candidate-pair" && stat.state === "succeeded") roundTrip ??= stat.currentRoundTripTime;
    if (stat.type === "remote-inbound-rtp") roundTrip = stat.roundTripTime ?? roundTrip;
    if (stat.type === "inbound-rtp" && stat.kind === "audio") {
      jitter = stat.jitter;
      packets = stat.packetsReceived ?? 0;
      lost = stat.packetsLost ?? 0;
    }
  }
  const [came, missed] = [packets - (before?.packets ?? 0), Math.max(0, lost - (before?.lost ?? 0))];
  return {
    roundTripMs: roundTrip === undefined ? null : Math.round(roundTrip * 1000),
    jitterMs: jitter === undefined ? null : Math.round(jitter * 1000),
    loss: came + missed > 0 ? missed / (came + missed) : null,
    packets,
    lost,
  };
}
