import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconBellCheck } from "@tabler/icons-react";
import { Link } from "wouter";

import type { Alert } from "../api/schema";
import { useT } from "../i18n";
import { AlertTag } from "../parts/Meaning";
import { Empty } from "../parts/States";
import { Moment } from "../parts/Times";
import { useAcknowledge } from "./alerts";
import classes from "./AlertList.module.css";

export function AlertList({ alerts, onLeave }: { alerts: Alert[]; onLeave?: () => void }) {
  const t = useT();
  const acknowledge = useAcknowledge();
  if (!alerts.length)
    return (
      <Empty icon={<IconBellCheck size={32} stroke={1.5} />} title={t("alerts.none")}>
        {t("alerts.none_detail")}
      </Empty>
    );
  return (
    <Stack gap={0} component="ul" className={classes.list}>
      {alerts.map((alert) => (
        <li key={alert.id} className={classes.item}>
          <Group justify="space-between" wrap="nowrap" gap="xs">
            <AlertTag kind={alert.kind} />
            <Text size="sm" c="dimmed">
              <Moment at={alert.at} />
            </Text>
          </Group>
          <Text size="sm" className="words">
            {alert.text}
          </Text>
          <Group justify="space-between" gap="xs">
            {alert.call_id ? (
              <Anchor component={Link} href={`/live/${alert.call_id}`} size="sm" onClick={() => onLeave?.()}>
                {t("alerts.show_call")}
              </Anchor>
            ) : (
              <span />
            )}
            <Button
              size="compact-sm"
              variant="default"
              loading={acknowledge.isPending && acknowledge.variables === alert.id}
              onClick={() => acknowledge.mutate(alert.id)}
            >
              {t("alerts.acknowledge")}
            </Button>
          </Group>
        </li>
      ))}
    </Stack>
  );
}
