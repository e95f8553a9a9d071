import { api, ApiError, part } from "../api/client";
import type { LineAnswer } from "../api/schema";
import { chosenDevice } from "./devices";
import { Level } from "./level";
import { fullOffer, voiceOf } from "./peer";
import { judge, type Quality, read, type Reading } from "./quality";

export type LineState = "off" | "elsewhere" | "taken" | "asking" | "connecting" | "up" | "lost";
export type LineTrouble =
  "denied" | "no_microphone" | "busy" | "insecure" | "refused" | "needs_click" | "silent" | null;

export interface LineView {
  state: LineState;
  trouble: LineTrouble;
  quality: Quality;
  reading: Reading | null;
}

const OFF: LineView = { state: "off", trouble: null, quality: "unknown", reading: null };
const WANTED = "voicebot.line";
const ELSEWHERE_MS = 300;
const PAUSES_MS = [0, 500, 1000, 2000, 4000, 8000];
const CONNECT_MS = 10_000;
const BREATH_MS = 1500;
const LOOK_MS = 2000;
const LISTEN_MS = 250;
const SILENT_TIMES = 20; // looks in a row that find a dead microphone: 5 s

/**
 * The audio line of this browser to the floor: one connection that stays up between calls and comes back by itself,
 * after a reload too, until it is switched off or another browser of the same user takes it.
 */
export class AudioLine {
  private view: LineView = OFF;
  private watchers = new Set<() => void>();
  private peer: RTCPeerConnection | null = null;
  private microphone: MediaStream | null = null;
  private context: AudioContext | null = null;
  private ownLevel: Level | null = null;
  private theirLevel: Level | null = null;
  private readonly speaker = new Audio();
  private tries = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private breath: ReturnType<typeof setTimeout> | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;
  private listening: ReturnType<typeof setInterval> | undefined;
  private silentTimes = 0;
  private muted = false;
  private speaking = false;
  private claim: AbortController | null = null;
  private ids: string[] = []; // the server's, of the lines that this page has had, the last one last

  constructor() {
    this.speaker.autoplay = true;
    window.addEventListener("online", () => {
      if (this.view.state === "lost") this.again(0);
    });
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  state = (): LineView => this.view;

  /** Whether this browser had the line on when the page was left. */
  get wanted(): boolean {
    return localStorage.getItem(WANTED) === "on";
  }

  async start(): Promise<void> {
    if (this.view.state !== "off" && this.view.state !== "taken") return;
    localStorage.setItem(WANTED, "on");
    this.become({ ...OFF, state: "asking" });
    const claim = (this.claim = new AbortController());
    await this.mayHaveIt(claim.signal);
    if (claim.signal.aborted) return;
    if (!this.wanted) {
      this.drop(); // it was switched off in the page that had it
      return;
    }
    this.become({ ...OFF, state: "asking" });
    if (await this.openMicrophone()) await this.connect();
  }

  /** Pages of one browser would take the line from each other: one has it, the others wait until that one is closed. */
  private async mayHaveIt(signal: AbortSignal): Promise<void> {
    const locks = navigator.locks as LockManager | undefined;
    if (!locks) return; // not a secure page: it gets no microphone either
    const late = setTimeout(() => this.become({ ...OFF, state: "elsewhere" }), ELSEWHERE_MS);
    await new Promise<void>((go) => {
      const hold = () =>
        new Promise<void>((free) => {
          signal.addEventListener("abort", () => free());
          go();
        });
      void locks.request(WANTED, { signal }, hold).catch(() => go()); // given up
    });
    clearTimeout(late);
  }

  /** Switches off for good; the server forgets the line. */
  stop(): void {
    const id = this.ids.at(-1) ?? "";
    localStorage.setItem(WANTED, "off");
    this.drop();
    void api.delete(`/agent/line?line=${part(id)}`).catch(() => undefined); // it ends by itself where the server cannot be told
  }

  /** Lets go of everything but keeps the wish, as when signing out. */
  drop(): void {
    this.claim?.abort();
    this.claim = null;
    this.ids = [];
    clearTimeout(this.retry);
    clearInterval(this.listening);
    this.listening = undefined;
    this.closePeer();
    this.microphone?.getTracks().forEach((track) => track.stop());
    this.microphone = null;
    this.ownLevel?.close();
    this.ownLevel = null;
    void this.context?.close();
    this.context = null;
    this.tries = 0;
    this.become(OFF);
  }

  mute(on: boolean): void {
    this.muted = on;
    this.microphone?.getAudioTracks().forEach((track) => (track.enabled = !on));
  }

  /** Whether what the microphone hears is sent: while a call is there or offered, and no longer. */
  speak(on: boolean): void {
    this.speaking = on;
    void this.peer?.getSenders()[0]?.replaceTrack(this.sent());
  }

  levels(): { own: number; theirs: number } {
    return { own: this.muted ? 0 : (this.ownLevel?.read() ?? 0), theirs: this.theirLevel?.read() ?? 0 };
  }

  /** After a choice of other devices, without losing the call. */
  async changeDevices(): Promise<void> {
    await this.useLoudspeaker();
    if (!this.microphone || !(await this.openMicrophone())) return;
    await this.peer?.getSenders()[0]?.replaceTrack(this.sent());
  }

  private sent(): MediaStreamTrack | null {
    return (this.speaking && this.microphone?.getAudioTracks()[0]) || null;
  }

  /** Sound that the browser held back until somebody clicked. */
  async unlock(): Promise<void> {
    await this.context?.resume();
    await this.play();
  }

  private async openMicrophone(): Promise<boolean> {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (!media) return this.fail("insecure");
    try {
      const fresh = await media.getUserMedia({ audio: voiceOf(chosenDevice("microphone")) });
      this.microphone?.getTracks().forEach((track) => track.stop());
      this.microphone = fresh;
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      return this.fail(name === "NotFoundError" ? "no_microphone" : name === "NotReadableError" ? "busy" : "denied");
    }
    this.mute(this.muted);
    this.context ??= new AudioContext();
    this.ownLevel?.close();
    this.ownLevel = new Level(this.context, this.microphone);
    const opened = this.microphone;
    // Unplugged in the middle of a call: whatever microphone there is goes on.
    opened
      .getAudioTracks()[0]
      ?.addEventListener("ended", () => this.microphone === opened && void this.changeDevices());
    this.silentTimes = 0;
    this.listening ??= setInterval(() => this.listen(), LISTEN_MS);
    return true;
  }

  private fail(trouble: LineTrouble): false {
    this.drop();
    this.become({ ...OFF, trouble });
    return false;
  }

  private async connect(): Promise<void> {
    this.closePeer();
    if (!this.microphone) return;
    const peer = new RTCPeerConnection();
    this.peer = peer;
    this.become({ ...this.view, state: this.tries ? "lost" : "connecting", trouble: null });
    peer.addEventListener("track", (event) => this.hear(event.streams[0] ?? new MediaStream([event.track])));
    peer.addEventListener("connectionstatechange", () => this.peer === peer && this.follow(peer));
    peer.addTransceiver(this.sent() ?? "audio", { direction: "sendrecv" });
    this.breath = setTimeout(() => this.peer === peer && this.broken(), CONNECT_MS);
    try {
      const offer = { sdp: await fullOffer(peer), instead_of: this.ids.at(-1) ?? "" };
      const answer = await api.post<LineAnswer>("/agent/line", offer);
      if (this.peer !== peer) return;
      this.ids.push(answer.id);
      await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    } catch (error) {
      if (this.peer !== peer) return;
      if (error instanceof ApiError && error.problem.code === "line_taken") this.taken();
      else this.broken();
    }
  }

  /**
   * The line that the server has of this user. When it is none of ours, asking for ours tells whether it was taken; when
   * the server has lost ours, this browser need not find out by itself, which takes it seconds.
   */
  check(id: string, lost: boolean): void {
    if (this.view.state === "up" && id && (!this.ids.includes(id) || (lost && id === this.ids.at(-1)))) this.broken();
  }

  /** Another browser has it, and keeps it until the user takes it back here: not even a reload does that. */
  private taken(): void {
    localStorage.setItem(WANTED, "off");
    this.drop();
    this.become({ ...OFF, state: "taken" });
  }

  private follow(peer: RTCPeerConnection): void {
    clearTimeout(this.breath);
    if (peer.connectionState === "connected") {
      this.tries = 0;
      this.become({ ...this.view, state: "up" });
      this.looking ??= setInterval(() => void this.look(), LOOK_MS);
    } else if (peer.connectionState === "disconnected") {
      // It often comes back by itself within a second.
      this.become({ ...this.view, state: "lost" });
      this.breath = setTimeout(() => this.peer === peer && this.broken(), BREATH_MS);
    } else if (peer.connectionState === "failed" || peer.connectionState === "closed") this.broken();
    else this.breath = setTimeout(() => this.peer === peer && this.broken(), CONNECT_MS);
  }

  private broken(): void {
    this.closePeer();
    const pause = PAUSES_MS[Math.min(this.tries, PAUSES_MS.length - 1)] ?? 0;
    this.tries += 1;
    this.become({ ...this.view, state: "lost", quality: "unknown", reading: null });
    this.again(pause);
  }

  private again(pauseMs: number): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.connect(), pauseMs);
  }

  private closePeer(): void {
    clearTimeout(this.breath);
    clearInterval(this.looking);
    this.looking = undefined;
    this.theirLevel?.close();
    this.theirLevel = null;
    const peer = this.peer;
    this.peer = null;
    peer?.close();
  }

  private hear(stream: MediaStream): void {
    this.speaker.srcObject = stream;
    if (this.context) this.theirLevel = new Level(this.context, stream);
    void this.useLoudspeaker().then(() => this.play());
  }

  private async play(): Promise<void> {
    try {
      await this.speaker.play();
      if (this.view.trouble === "needs_click") this.become({ ...this.view, trouble: null });
    } catch {
      this.become({ ...this.view, trouble: "needs_click" });
    }
  }

  private async useLoudspeaker(): Promise<void> {
    try {
      await this.speaker.setSinkId(chosenDevice("loudspeaker"));
    } catch {
      // The one chosen is not plugged in, or this browser has no choice: its ordinary one plays.
    }
  }

  /** A microphone that gives nothing at all is told of before a caller has to ask whether anybody is there. */
  private listen(): void {
    const dead = !this.muted && this.context?.state === "running" && this.ownLevel?.dead === true;
    this.silentTimes = dead ? this.silentTimes + 1 : 0;
    const { trouble } = this.view;
    if (this.silentTimes >= SILENT_TIMES && trouble === null) this.become({ ...this.view, trouble: "silent" });
    else if (!dead && trouble === "silent") this.become({ ...this.view, trouble: null });
  }

  private async look(): Promise<void> {
    const peer = this.peer;
    if (!peer) return;
    const stats: Parameters<typeof read>[0] = [...(await peer.getStats()).values()] as never[];
    if (this.peer !== peer) return;
    const reading = read(stats, this.view.reading);
    this.become({ ...this.view, reading, quality: judge(reading) });
  }

  private become(view: LineView): void {
    this.view = view;
    this.watchers.forEach((watcher) => watcher());
  }
}

export const line = new AudioLine();
