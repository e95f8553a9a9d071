import { describe, expect, it } from "vitest";

import type { Board, BoardCall, BoardChanges, BoardQueue } from "../api/schema";
import { counted, fits, serviceLevel, withChanges } from "./board";

function call(call_id: string, more: Partial<BoardCall> = {}): BoardCall {
  const at = "2026-01-01T10:00:00Z";
  const plain = { caller: "+48600100200", bot: "sklep", language: "pl", phase: "bot", started_at: at, phase_since: at };
  const rest = { flow: "", step: "", mood: "neutral", queue: "", position: null, agent: "", alerts: [], listeners: 0 };
  return { ...plain, ...rest, last_words: "", call_id, ...more } as BoardCall;
}

function board(revision: number, ...calls: BoardCall[]): Board {
  return { revision, calls, agents: [], queues: [], alerts: [] };
}

function changes(revision: number, calls: BoardChanges["calls"]): BoardChanges {
  return { revision, calls, agents: {}, queues: {}, alerts: {} };
}

describe("a board that changes", () => {
  it("replaces rows in their place, drops what is gone, appends what is new", () => {
    const now = withChanges(
      board(1, call("a"), call("b"), call("c")),
      changes(2, { b: call("b", { phase: "waiting" }), a: null, d: call("d") }),
    );
    expect(now.calls.map(({ call_id, phase }) => [call_id, phase])).toEqual([
      ["b", "waiting"],
      ["c", "bot"],
      ["d", "bot"],
    ]);
  });

  it("ignores changes that the fetched board has already", () => {
    const now = board(5, call("a", { phase: "agent" }));
    expect(withChanges(now, changes(5, { a: call("a") }))).toBe(now);
  });

  it("leaves a row out that came and went before it was seen", () => {
    expect(withChanges(board(1), changes(2, { x: null })).calls).toEqual([]);
  });
});

describe("figures", () => {
  it("counts where calls are", () => {
    const calls = (["bot", "waiting", "offered", "agent", "on_hold", "consulting"] as const).map((phase) =>
      call(phase, { phase }),
    );
    expect(counted(calls)).toEqual({ bot: 1, waiting: 2, agents: 3 });
  });

  it("weighs the service level by calls, and knows none before the first", () => {
    const queue = (service_level: number | null, offered_today: number) =>
      ({ service_level, offered_today }) as BoardQueue;
    expect(serviceLevel([queue(1, 30), queue(0.5, 10), queue(null, 0)])).toBeCloseTo(0.875);
    expect(serviceLevel([queue(null, 0)])).toBeNull();
  });
});

describe("the filter", () => {
  it("wants every word, without minding accents", () => {
    const row = call("a", { agent: "Zofia Dąbrowska", last_words: "Łatwo powiedzieć" });
    expect(fits(row, "dabrowska latwo")).toBe(true);
    expect(fits(row, "dabrowska trudno")).toBe(false);
    expect(fits(row, "  ")).toBe(true);
  });
});
