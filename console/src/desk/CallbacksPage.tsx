import { Checkbox, Group, Stack, Title } from "@mantine/core";
import { useState } from "react";

import { useT } from "../i18n";
import { CallbackTable } from "./CallbackTable";

export default function CallbacksPage() {
  const t = useT();
  const [withDone, setWithDone] = useState(false);
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>{t("callbacks.title")}</Title>
        <Checkbox
          label={t("callbacks.show_done")}
          checked={withDone}
          onChange={(event) => setWithDone(event.currentTarget.checked)}
        />
      </Group>
      <CallbackTable withDone={withDone} />
    </Stack>
  );
}
