import type { LiveCall, Turn } from "../api/schema";
import type { CallEvent } from "../api/stream";

/** The transcript after an event of the call. An event that was there already, from the fetched one, adds nothing. */
export function withEvent(turns: readonly Turn[], event: CallEvent): readonly Turn[] {
  switch (event.event) {
    case "caller_saying":
      return [...settled(turns), turn(event, "caller", { partial: true })];
    case "caller_said":
      return add(turns, turn(event, "caller", { confidence: number(event["confidence"]) }));
    case "agent_said":
      return add(
        turns,
        turn(event, "agent", {
          confidence: number(event["confidence"]),
          name: text(event["name"]) || text(event["agent"]),
        }),
      );
    case "bot_said":
      return add(turns, botTurn(event));
    case "keys_pressed":
      return add(turns, { ...turn(event, "caller", { keys: true }), text: text(event["keys"]) });
    default:
      return turns;
  }
}

function botTurn(event: CallEvent): Turn {
  const interrupted = event["interrupted"] === true;
  return {
    ...turn(event, "bot", { interrupted, step: text(event["step"]) || null }),
    text: text(interrupted ? event["heard_text"] : event["text"]),
  };
}

function turn(event: CallEvent, who: Turn["who"], more: Partial<Turn>): Turn {
  return {
    who,
    text: text(event["text"]),
    at_s: event.offset_s,
    name: "",
    confidence: null,
    step: null,
    interrupted: false,
    keys: false,
    partial: false,
    ...more,
  };
}

function settled(turns: readonly Turn[]): readonly Turn[] {
  return turns.filter((each) => !each.partial);
}

const SAME_S = 0.05;

function add(turns: readonly Turn[], next: Turn): readonly Turn[] {
  const said = next.who === "caller" ? settled(turns) : turns;
  const known = said
    .slice(-6)
    .some(
      (each) =>
        each.who === next.who && each.text === next.text && !each.partial && Math.abs(each.at_s - next.at_s) < SAME_S,
    );
  if (known) return said;
  const at = said.findIndex((each) => each.partial);
  return at < 0 ? [...said, next] : [...said.slice(0, at), next, ...said.slice(at)];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

const TELLS_MORE = new Set([
  "decision", "turn_timed", "system_called", "handoff_started", "queue_entered", "queue_left", "agent_joined",
  "agent_left", "call_held", "call_resumed", "transferred", "mood_changed", "supervisor_joined", "supervisor_left",
  "alert_raised", "alert_acknowledged", "recording_stopped", "language_model_asked", "call_ended",
]); // prettier-ignore

/** Whether more than the transcript is other than before, so that the call is worth fetching again. */
export function tellsMore(event: CallEvent): boolean {
  return TELLS_MORE.has(event.event);
}

/** What the caller asked last, for the knowledge: the newest finished words, where they are more than a yes. */
export function lastQuestion(turns: readonly Turn[]): string {
  const said = turns.filter((each) => each.who === "caller" && !each.partial && !each.keys);
  const recent = said.slice(-3).reverse();
  const asked = recent.find((each) => each.text.includes("?"));
  return (asked ?? recent.find((each) => each.text.split(/\s+/).length >= 3))?.text ?? "";
}

/** The call as fetched, with what the stream told since in front of what was fetched before it. */
export function merge(fetched: LiveCall, before: readonly Turn[]): readonly Turn[] {
  const last = fetched.transcript.at(-1)?.at_s ?? -1;
  const newer = before.filter((each) => each.partial || each.at_s > last + SAME_S);
  return fetched.transcript.some((each) => each.partial)
    ? [...fetched.transcript, ...newer.filter((each) => !each.partial)]
    : [...fetched.transcript, ...newer];
}
