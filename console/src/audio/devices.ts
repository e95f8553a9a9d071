import { useEffect, useState } from "react";

export interface Devices {
  microphones: MediaDeviceInfo[];
  loudspeakers: MediaDeviceInfo[];
}

const STORED = { microphone: "voicebot.microphone", loudspeaker: "voicebot.loudspeaker" };

export function chosenDevice(kind: keyof typeof STORED): string {
  return localStorage.getItem(STORED[kind]) ?? "";
}

export function chooseDevice(kind: keyof typeof STORED, id: string): void {
  localStorage.setItem(STORED[kind], id);
}

/** What can be chosen now; names are known once the microphone was allowed. */
export function useDevices(): Devices {
  const [devices, setDevices] = useState<Devices>({ microphones: [], loudspeakers: [] });
  useEffect(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (!media) return;
    async function look(source: MediaDevices) {
      const found = (await source.enumerateDevices()).filter((device) => device.deviceId && device.label);
      setDevices({
        microphones: found.filter((device) => device.kind === "audioinput"),
        loudspeakers: found.filter((device) => device.kind === "audiooutput"),
      });
    }
    const changed = () => void look(media);
    changed();
    media.addEventListener("devicechange", changed);
    return () => media.removeEventListener("devicechange", changed);
  }, []);
  return devices;
}
