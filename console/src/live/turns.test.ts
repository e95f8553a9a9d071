import { describe, expect, it } from "vitest";

import type { CallEvent } from "../api/stream";
import { lastQuestion, withEvent } from "./turns";

function event(name: string, offset_s: number, fields: Record<string, unknown>): CallEvent {
  return { event: name, call_id: "c1", at: "2026-01-01T00:00:00Z", offset_s, ...fields };
}

function after(...events: CallEvent[]) {
  return events.reduce<ReturnType<typeof withEvent>>(withEvent, []);
}

describe("a transcript that grows", () => {
  it("shows the words so far, and replaces them by what was said", () => {
    const saying = after(
      event("caller_saying", 1, { text: "gdzie" }),
      event("caller_saying", 1.4, { text: "gdzie jest" }),
    );
    expect(saying.map(({ text, partial }) => [text, partial])).toEqual([["gdzie jest", true]]);
    const said = withEvent(saying, event("caller_said", 2, { text: "gdzie jest paczka", confidence: 0.9 }));
    expect(said.map(({ text, partial }) => [text, partial])).toEqual([["gdzie jest paczka", false]]);
  });

  it("keeps the caller's unfinished words below what the agent says meanwhile", () => {
    const turns = after(
      event("caller_saying", 3, { text: "ale" }),
      event("agent_said", 3.2, { text: "Dobrze.", agent: "anna" }),
    );
    expect(turns.map(({ who, text }) => [who, text])).toEqual([
      ["agent", "Dobrze."],
      ["caller", "ale"],
    ]);
  });

  it("does not repeat what the fetched call had already", () => {
    const told = event("caller_said", 2, { text: "halo", confidence: 0.9 });
    expect(after(told, told)).toHaveLength(1);
    expect(after(told, { ...told, offset_s: 9 })).toHaveLength(2);
  });

  it("shows of the bot's speech what was heard", () => {
    const [turn] = after(
      event("bot_said", 1, { text: "Dzień dobry, tu bot", interrupted: true, heard_text: "Dzień dobry", step: "hi" }),
    );
    expect(turn).toMatchObject({ text: "Dzień dobry", interrupted: true, step: "hi" });
  });

  it("leaves out events that are no words", () => {
    expect(after(event("turn_timed", 1, { stages: {} }))).toEqual([]);
  });
});

describe("the last question", () => {
  it("prefers a question to a longer remark after it", () => {
    const turns = after(
      event("caller_said", 1, { text: "Czy mogę zwrócić?", confidence: 1 }),
      event("caller_said", 2, { text: "Bo kupiłam za małe buty", confidence: 1 }),
    );
    expect(lastQuestion(turns)).toBe("Czy mogę zwrócić?");
  });

  it("is empty where only a yes was said", () => {
    expect(lastQuestion(after(event("caller_said", 1, { text: "tak", confidence: 1 })))).toBe("");
  });
});
