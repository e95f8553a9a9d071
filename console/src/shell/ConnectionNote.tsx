import { Alert } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useSyncExternalStore } from "react";

import { stream } from "../api/stream";
import { useT } from "../i18n";

/** Says that what is on the page may be old, while it is so. */
export function ConnectionNote() {
  const t = useT();
  const state = useSyncExternalStore(stream.watch, stream.state);
  return (
    <div aria-live="polite">
      {state === "lost" && (
        <Alert color="orange" mb="md" icon={<IconPlugConnectedX />} title={t("stream.lost")}>
          {t("stream.lost_detail")}
        </Alert>
      )}
    </div>
  );
}
