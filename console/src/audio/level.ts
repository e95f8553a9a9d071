/** How loud a stream is, 0..1, for a meter. */
export class Level {
  private readonly analyser: AnalyserNode;
  private readonly source: MediaStreamAudioSourceNode;
  private readonly samples: Float32Array<ArrayBuffer>;

  constructor(context: AudioContext, stream: MediaStream) {
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.source = context.createMediaStreamSource(stream);
    this.source.connect(this.analyser);
  }

  read(): number {
    return meter(this.rms());
  }

  /** Not even the noise of a quiet room, as from a microphone that the system has muted. */
  get dead(): boolean {
    return this.rms() === 0;
  }

  private rms(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    return Math.sqrt(sum / this.samples.length);
  }

  close(): void {
    this.source.disconnect();
  }
}

const QUIETEST_DB = -60;

/** The root mean square of samples on a scale that ears agree with: -60 dB is 0, full scale is 1. */
export function meter(rms: number): number {
  if (rms <= 0) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(rms)) / QUIETEST_DB));
}
