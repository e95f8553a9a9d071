import { api, part } from "../api/client";
import type { BackToBot, ListenAnswer, ListenOffer } from "../api/schema";
import { chosenDevice } from "./devices";
import { fullOffer, voiceOf } from "./peer";

export type ListenMode = NonNullable<ListenOffer["mode"]>;
/** Taken over: the supervisor talks with the caller in the place of bot or agent, over the same connection. */
export type TakenPart = ListenMode | "taken_over";
export type ListenState = "off" | "connecting" | "on" | "lost";

export interface ListeningView {
  state: ListenState;
  mode: TakenPart;
  error: unknown;
}

const OFF: ListeningView = { state: "off", mode: "listen", error: null };
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];
const BREATH_MS = 2000;

/**
 * A supervisor's ear in one call. The microphone is opened only to whisper or to join in; changing the mode needs no
 * new connection, so nothing of the call is missed.
 */
export class Listening {
  private view: ListeningView = OFF;
  private watchers = new Set<() => void>();
  private peer: RTCPeerConnection | null = null;
  private sender: RTCRtpSender | null = null;
  private microphone: MediaStream | null = null;
  private id = "";
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly speaker = new Audio();

  constructor(private readonly call: string) {}

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  state = (): ListeningView => this.view;

  /** Starts, or changes how the supervisor takes part. */
  async be(mode: ListenMode): Promise<void> {
    if (this.view.state === "off") {
      this.become({ state: "connecting", mode, error: null });
      await this.connect();
      return;
    }
    const before = this.view.mode;
    if (before === "taken_over") return;
    this.become({ ...this.view, mode, error: null });
    try {
      // Silent before the server lets more people hear; open only after it does.
      if (mode === "listen") await this.speak(false);
      if (this.id) await api.patch(`/listens/${part(this.id)}`, { mode });
      if (mode !== "listen") await this.speak(true);
    } catch (error) {
      await this.speak(before !== "listen").catch(() => undefined);
      this.become({ ...this.view, mode: before, error });
    }
  }

  /** Joins the call where that is still to be done, then talks with the caller in the place of bot or agent. */
  async takeOver(): Promise<void> {
    if (this.view.state === "off") {
      await this.be("listen");
      await this.connected();
    }
    if (this.view.state !== "on") return;
    await this.speak(true);
    try {
      await api.post(`/live/${part(this.call)}/take-over`);
      this.become({ ...this.view, mode: "taken_over", error: null });
    } catch (error) {
      await this.speak(this.view.mode !== "listen");
      throw error;
    }
  }

  /** Leaves the caller to the bot, at a flow or with whatever they want, and listens on where the talk was taken over. */
  async backToBot(flow: string): Promise<void> {
    const taken = this.view.mode === "taken_over";
    await api.post(`/live/${part(this.call)}/back-to-bot`, { flow } satisfies BackToBot);
    if (!taken || this.view.state === "off") return;
    this.close(); // the talk's connection ends with it
    this.become({ state: "connecting", mode: "listen", error: null });
    await this.connect();
  }

  stop(): void {
    clearTimeout(this.timer);
    const id = this.id;
    this.close();
    this.tries = 0;
    this.become(OFF);
    if (id) void api.delete(`/listens/${part(id)}`).catch(() => undefined); // it ends with its connection anyway
  }

  private connected(): Promise<void> {
    return new Promise((done) => {
      if (this.view.state !== "connecting") {
        done();
        return;
      }
      const stop = this.watch(() => {
        if (this.view.state === "connecting") return;
        stop();
        done();
      });
    });
  }

  private async connect(): Promise<void> {
    const peer = new RTCPeerConnection();
    this.peer = peer;
    this.sender = peer.addTransceiver("audio", { direction: "sendrecv" }).sender;
    peer.addEventListener("track", (event) => {
      this.speaker.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      void this.speaker.play().catch(() => undefined); // a click started this: browsers allow it
    });
    peer.addEventListener("connectionstatechange", () => this.peer === peer && this.follow(peer));
    try {
      // A talk that was taken over ends with its connection: who comes back listens.
      const mode = this.view.mode === "taken_over" ? "listen" : this.view.mode;
      this.become({ ...this.view, mode });
      if (mode !== "listen") await this.speak(true);
      const offer: ListenOffer = { sdp: await fullOffer(peer), mode };
      const answer = await api.post<ListenAnswer>(`/live/${part(this.call)}/listen`, offer);
      if (this.peer !== peer) {
        void api.delete(`/listens/${part(answer.id)}`).catch(() => undefined);
        return;
      }
      this.id = answer.id;
      await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      void this.speaker.setSinkId(chosenDevice("loudspeaker")).catch(() => undefined);
    } catch (error) {
      if (this.peer !== peer) return;
      if (this.tries) this.again();
      else {
        this.close();
        this.become({ ...OFF, error });
      }
    }
  }

  private follow(peer: RTCPeerConnection): void {
    clearTimeout(this.timer);
    if (peer.connectionState === "connected") {
      this.tries = 0;
      this.become({ ...this.view, state: "on" });
    } else if (peer.connectionState === "disconnected") {
      this.become({ ...this.view, state: "lost" });
      this.timer = setTimeout(() => this.peer === peer && this.again(), BREATH_MS);
    } else if (peer.connectionState === "failed") this.again();
  }

  private again(): void {
    const id = this.id;
    this.close();
    if (id) void api.delete(`/listens/${part(id)}`).catch(() => undefined);
    const pause = PAUSES_MS[Math.min(this.tries, PAUSES_MS.length - 1)] ?? 1000;
    this.tries += 1;
    this.become({ ...this.view, state: "lost" });
    this.timer = setTimeout(() => void this.connect(), pause);
  }

  private async speak(on: boolean): Promise<void> {
    if (on && !this.microphone)
      this.microphone = await navigator.mediaDevices.getUserMedia({ audio: voiceOf(chosenDevice("microphone")) });
    await this.sender?.replaceTrack(on ? (this.microphone?.getAudioTracks()[0] ?? null) : null);
    if (on) return;
    this.microphone?.getTracks().forEach((track) => track.stop());
    this.microphone = null;
  }

  private close(): void {
    clearTimeout(this.timer);
    this.id = "";
    const peer = this.peer;
    this.peer = null;
    this.sender = null;
    peer?.close();
    this.microphone?.getTracks().forEach((track) => track.stop());
    this.microphone = null;
    this.speaker.srcObject = null;
  }

  private become(view: ListeningView): void {
    this.view = view;
    this.watchers.forEach((watcher) => watcher());
  }
}
