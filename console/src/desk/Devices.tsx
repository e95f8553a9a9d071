import { Alert, Button, Group, Select, Stack } from "@mantine/core";
import { IconAlertTriangle, IconMicrophone, IconVolume } from "@tabler/icons-react";
import { useState } from "react";

import { chooseDevice, chosenDevice, useDevices } from "../audio/devices";
import { line, type LineView } from "../audio/line";
import { testEcho, testTone } from "../audio/ring";
import { useT } from "../i18n";

type Kind = "microphone" | "loudspeaker";

/** What is wrong with the sound of this browser, and what to do about it. */
export function Trouble({ now }: { now: LineView }) {
  const t = useT();
  if (!now.trouble) return null;
  return (
    <Alert color="orange" icon={<IconAlertTriangle />} role="alert">
      <Stack gap="xs" align="flex-start">
        {t(`desk.trouble_${now.trouble}`)}
        {now.trouble === "needs_click" && (
          <Button size="xs" onClick={() => void line.unlock()}>
            {t("desk.hear")}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** Which microphone and loudspeaker, also in the middle of a call. `inCall`: without the tests. */
export function DeviceChoice({ inCall = false }: { inCall?: boolean }) {
  const t = useT();
  const { microphones, loudspeakers } = useDevices();
  const options = (devices: MediaDeviceInfo[]) => [
    { value: "", label: t("desk.default_device") },
    ...devices
      .map((device) => ({ value: device.deviceId, label: device.label }))
      .filter((one) => one.value !== "default"),
  ];
  const choose = (kind: Kind, id: string | null) => {
    chooseDevice(kind, id ?? "");
    void line.changeDevices();
  };
  const kinds: [Kind, MediaDeviceInfo[]][] = [
    ["microphone", microphones],
    ["loudspeaker", loudspeakers],
  ];
  return (
    <Stack gap="sm">
      {kinds.map(([kind, devices]) => (
        <Select
          key={kind}
          label={t(`desk.${kind}`)}
          data={options(devices)}
          defaultValue={chosenDevice(kind)}
          onChange={(id) => choose(kind, id)}
          allowDeselect={false}
          comboboxProps={{ withinPortal: !inCall }} // else a choice would close what it is in
        />
      ))}
      {!inCall && <Tests />}
    </Stack>
  );
}

function Tests() {
  const t = useT();
  const [speaking, setSpeaking] = useState(false);
  return (
    <Group gap="xs">
      <Button size="xs" variant="default" leftSection={<IconVolume size={14} />} onClick={() => void testTone()}>
        {t("desk.test_tone")}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconMicrophone size={14} />}
        disabled={speaking}
        onClick={() => {
          setSpeaking(true);
          void testEcho(3).finally(() => setSpeaking(false));
        }}
      >
        {t(speaking ? "desk.test_speak" : "desk.test_echo")}
      </Button>
    </Group>
  );
}
