import { Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";

import type { PastAlert } from "../api/schema";
import { useT } from "../i18n";
import { AlertTag } from "../parts/Meaning";
import { clock } from "../parts/time";

interface Props {
  alerts: PastAlert[];
  onPick?: (alert: PastAlert) => void;
}

/** Why somebody should have looked at the call while it went on, and who did. */
export function PastAlerts({ alerts, onPick }: Props) {
  const t = useT();
  return (
    <Card>
      <Title order={2} mb="xs">
        {t("alerts.title")}
      </Title>
      <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {alerts.map((alert, at) => (
          <li key={at}>
            <Group gap={8}>
              <AlertTag kind={alert.kind} />
              {onPick ? (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  leftSection={<IconPlayerPlay size={13} aria-hidden />}
                  aria-label={t("calls.play_from", { time: clock(alert.at_s) })}
                  onClick={() => onPick(alert)}
                >
                  {clock(alert.at_s)}
                </Button>
              ) : (
                <Text size="xs" c="dimmed" className="tabular">
                  {clock(alert.at_s)}
                </Text>
              )}
            </Group>
            <Text size="sm" className="words">
              {alert.text}
            </Text>
            <Text size="xs" c="dimmed">
              {alert.acknowledged_by
                ? t("calls.acknowledged", { who: alert.acknowledged_by })
                : t("calls.not_acknowledged")}
            </Text>
          </li>
        ))}
      </Stack>
    </Card>
  );
}
