import { chosenDevice } from "./devices";

/** The sound of an offered call: two soft tones, again every three seconds until it is stopped. */
export class Ring {
  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  start(): void {
    if (this.timer) return;
    this.strike();
    this.timer = setInterval(() => this.strike(), 3000);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    void this.context?.close();
    this.context = null;
  }

  private strike(): void {
    this.context ??= new AudioContext();
    tone(this.context, 784, 0, 0.35);
    tone(this.context, 1046, 0.18, 0.5);
  }
}

function tone(context: AudioContext, hertz: number, afterS: number, lengthS: number): void {
  const at = context.currentTime + afterS;
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.linearRampToValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.25, at + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, at + lengthS);
  const oscillator = new OscillatorNode(context, { frequency: hertz, type: "sine" });
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + lengthS);
}

interface Sinkable {
  setSinkId?: (id: string) => Promise<void>;
}

async function chosenOutput(): Promise<AudioContext> {
  const context = new AudioContext();
  try {
    await (context as Sinkable).setSinkId?.(chosenDevice("loudspeaker"));
  } catch {
    // The ordinary loudspeaker plays.
  }
  return context;
}

/** A second and a half of tones in the chosen loudspeaker. */
export async function testTone(): Promise<void> {
  const context = await chosenOutput();
  [523, 659, 784].forEach((hertz, at) => tone(context, hertz, at * 0.3, 0.6));
  setTimeout(() => void context.close(), 2000);
}

/** Records the microphone for some seconds and plays that back: what callers hear. */
export async function testEcho(seconds: number): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { deviceId: { ideal: chosenDevice("microphone") } },
  });
  const recorder = new MediaRecorder(stream);
  const pieces: Blob[] = [];
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  const ended = new Promise((done) => recorder.addEventListener("stop", done));
  recorder.start();
  await new Promise((done) => setTimeout(done, seconds * 1000));
  recorder.stop();
  await ended;
  stream.getTracks().forEach((track) => track.stop());
  const context = await chosenOutput();
  const heard = new AudioBufferSourceNode(context, {
    buffer: await context.decodeAudioData(await new Blob(pieces).arrayBuffer()),
  });
  heard.connect(context.destination);
  heard.start();
  await new Promise((done) => heard.addEventListener("ended", done));
  await context.close();
}
