import { ActionIcon, Indicator, Popover, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconBell } from "@tabler/icons-react";
import { useEffect } from "react";

import { stream } from "../api/stream";
import { AlertList } from "../board/AlertList";
import { openOnes, useAlerts } from "../board/alerts";
import { named, useT } from "../i18n";

/** How many alerts are open, on every page of a supervisor; a new one is told at once. */
export function AlertsBell() {
  const t = useT();
  const [opened, { toggle, close }] = useDisclosure();
  const alerts = openOnes(useAlerts().data ?? []);
  useEffect(
    () =>
      stream.on("alert", (alert) => {
        if (alert.acknowledged_at) return;
        notifications.hide("alert"); // the newest alone: the bell has them all
        notifications.show({
          id: "alert",
          color: "red",
          title: named(t, "alert", alert.kind),
          message: alert.text,
          autoClose: 6000,
        });
      }),
    [t],
  );
  const label = alerts.length ? t("alerts.open", { n: alerts.length }) : t("alerts.none");
  return (
    <Popover
      opened={opened}
      onChange={(open) => !open && close()}
      width={380}
      position="bottom-end"
      shadow="md"
      trapFocus
    >
      <Popover.Target>
        <Indicator label={alerts.length} size={18} color="red" disabled={!alerts.length} offset={6}>
          <ActionIcon variant="subtle" color="gray" size={40} radius="xl" aria-label={label} onClick={toggle}>
            <IconBell size={20} stroke={1.8} />
          </ActionIcon>
        </Indicator>
      </Popover.Target>
      <Popover.Dropdown p={0}>
        <Text fw={650} px="md" py="sm">
          {t("alerts.title")}
        </Text>
        <ScrollArea.Autosize mah={420}>
          <AlertList alerts={alerts} onLeave={close} />
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
