import { askSession } from "./client";
import type { AgentView, Alert, BoardChanges } from "./schema";

/** An event of a call as the records keep it: its name in `event`, then its own fields. */
export interface CallEvent {
  event: string;
  call_id: string;
  at: string;
  offset_s: number;
  [field: string]: unknown;
}

export interface StreamEvents {
  agent: AgentView;
  board: BoardChanges;
  call: { call_id: string; event: CallEvent };
  alert: Alert;
  bye: unknown;
  /** The stream is open (again), or has lost events: what was fetched before may be old. */
  opened: null;
}

type Name = keyof StreamEvents;
type Reader<N extends Name> = (event: StreamEvents[N]) => void;

export type StreamState = "idle" | "open" | "lost";

const SERVER_EVENTS = ["agent", "board", "call", "alert", "bye"] as const;
const LONGEST_PAUSE_MS = 8000;
const TOLD_AFTER_MS = 1500;

/**
 * The one stream of this page. Whoever needs a topic holds it; when the set of topics changes, a new stream is opened
 * before the old one is closed. A lost stream is opened again with growing pauses, at once when the network is back.
 */
export class Stream {
  private topics = new Map<string, number>();
  private source: EventSource | null = null;
  private opened = "";
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private doubt: ReturnType<typeof setTimeout> | undefined;
  private readers = new Map<Name, Set<Reader<never>>>();
  private watchers = new Set<() => void>();
  private now: StreamState = "idle";

  constructor() {
    window.addEventListener("online", () => this.reopen());
  }

  /** Ask for a topic until the returned function is called. */
  hold(topic: string): () => void {
    this.topics.set(topic, (this.topics.get(topic) ?? 0) + 1);
    this.schedule(0);
    return () => {
      const left = (this.topics.get(topic) ?? 1) - 1;
      if (left) this.topics.set(topic, left);
      else this.topics.delete(topic);
      this.schedule(50);
    };
  }

  on<N extends Name>(name: N, reader: Reader<N>): () => void {
    const readers = this.readers.get(name) ?? new Set();
    this.readers.set(name, readers.add(reader));
    return () => readers.delete(reader);
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  state = (): StreamState => this.now;

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.follow(), delayMs);
  }

  private follow(): void {
    const wanted = [...this.topics.keys()].sort().join(",");
    if (!wanted) this.close();
    else if (wanted !== this.opened || !this.source) this.open(wanted);
  }

  private open(wanted: string): void {
    const before = this.source;
    const source = new EventSource(`/api/stream?topics=${encodeURIComponent(wanted)}`);
    this.source = source;
    this.opened = wanted;
    source.onopen = () => {
      before?.close();
      if (this.source !== source) return;
      this.tries = 0;
      this.become("open");
      this.tell("opened", null);
    };
    source.onerror = () => {
      before?.close();
      if (this.source === source) this.lost(source);
    };
    source.addEventListener("resync", () => this.source === source && this.tell("opened", null));
    for (const name of SERVER_EVENTS)
      source.addEventListener(name, (message: MessageEvent<string>) => {
        if (this.source === source) this.tell(name, JSON.parse(message.data) as never);
      });
  }

  private lost(source: EventSource): void {
    source.close();
    this.source = null;
    this.doubt ??= setTimeout(() => this.become("lost"), TOLD_AFTER_MS);
    const pause = Math.min(LONGEST_PAUSE_MS, 400 * 2 ** this.tries) * (0.75 + Math.random() / 2);
    this.tries += 1;
    // A stream that is refused looks like one that broke; the session tells which.
    if (this.tries > 1) void askSession();
    this.schedule(pause);
  }

  private reopen(): void {
    if (!this.topics.size) return;
    this.source?.close();
    this.source = null;
    this.schedule(0);
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    this.opened = "";
    this.become("idle");
  }

  private become(state: StreamState): void {
    clearTimeout(this.doubt);
    this.doubt = undefined;
    if (this.now === state) return;
    this.now = state;
    this.watchers.forEach((watcher) => watcher());
  }

  private tell<N extends Name>(name: N, event: StreamEvents[N]): void {
    this.readers.get(name)?.forEach((reader) => (reader as Reader<N>)(event));
  }
}

export const stream = new Stream();
