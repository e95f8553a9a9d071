const GATHERING_MS = 1500;

/** The whole offer, with the addresses found in time: the server answers one SDP and knows no trickling. */
export async function fullOffer(peer: RTCPeerConnection): Promise<string> {
  await peer.setLocalDescription(await peer.createOffer());
  if (peer.iceGatheringState !== "complete")
    await new Promise<void>((found) => {
      const late = setTimeout(found, GATHERING_MS);
      peer.addEventListener("icegatheringstatechange", () => {
        if (peer.iceGatheringState !== "complete") return;
        clearTimeout(late);
        found();
      });
    });
  return peer.localDescription?.sdp ?? "";
}

export function voiceOf(deviceId: string): MediaTrackConstraints {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
    ...(deviceId ? { deviceId: { ideal: deviceId } } : {}),
  };
}
