import { Button, Group, Loader, Text } from "@mantine/core";
import { IconArrowBackUp, IconUserCheck, IconUsers, IconUserX } from "@tabler/icons-react";

import type { Party } from "../api/schema";
import { useT } from "../i18n";
import classes from "./ConsultBar.module.css";
import { useDesk } from "./desk";

/** Somebody is asked while the caller hears music. */
export function ConsultBar({ party }: { party: Party }) {
  const t = useT();
  const { commands } = useDesk();
  const signs = {
    ringing: <Loader size={18} color="var(--vb-violet)" />,
    talking: <IconUsers size={20} />,
    failed: <IconUserX size={20} />,
  };
  return (
    <div className={classes.bar} data-state={party.state} role="status">
      {signs[party.state]}
      <Text fw={600} flex={1}>
        {t(`desk.consult_${party.state}`, { name: party.name })}
        {party.why && (
          <Text span size="sm" fw={400}>
            {" "}
            ({party.why})
          </Text>
        )}
      </Text>
      <Group gap="xs">
        {party.state === "talking" && (
          <Button leftSection={<IconUserCheck size={18} />} onClick={commands.completeConsult}>
            {t("desk.complete")}
          </Button>
        )}
        <Button variant="default" leftSection={<IconArrowBackUp size={18} />} onClick={commands.cancelConsult}>
          {t("desk.cancel_consult")}
        </Button>
      </Group>
    </div>
  );
}
