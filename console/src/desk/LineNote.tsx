import { Alert, Button, Stack } from "@mantine/core";
import { IconMicrophoneOff } from "@tabler/icons-react";

import { line } from "../audio/line";
import { useT } from "../i18n";
import { useDesk, useLine } from "./desk";

/** Says on every page that another browser has the agent's audio, or that a call goes on without, and offers to have it. */
export function LineNote() {
  const t = useT();
  const { view } = useDesk();
  const { state } = useLine();
  if (view?.reach !== "browser") return null;
  const taken = state === "taken";
  if (!taken && !(state === "off" && view.call)) return null;
  return (
    <Alert
      color="orange"
      mb="md"
      role="alert"
      icon={<IconMicrophoneOff />}
      title={t(taken ? "desk.taken" : "desk.not_here")}
    >
      <Stack gap="xs" align="flex-start">
        {t(taken ? "desk.taken_detail" : "desk.not_here_detail")}
        <Button size="xs" onClick={() => void line.start()}>
          {t(taken ? "desk.take_back" : "desk.connect")}
        </Button>
      </Stack>
    </Alert>
  );
}
