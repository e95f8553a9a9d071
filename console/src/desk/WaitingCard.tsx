import { Card, Group, Stack, Text } from "@mantine/core";

import type { AgentView } from "../api/schema";
import { useT } from "../i18n";
import { Tag } from "../parts/Meaning";
import { Length } from "../parts/Times";

/** Who waits in the agent's queues. */
export function WaitingCard({ view }: { view: AgentView }) {
  const t = useT();
  return (
    <Card>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Text fw={600}>{view.waiting ? t("desk.waiting", { n: view.waiting }) : t("desk.nobody_waits")}</Text>
          {view.longest_wait_s !== null && (
            <Text size="sm" c="dimmed" className="nowrap">
              {t("desk.longest")} <Length seconds={view.longest_wait_s} />
            </Text>
          )}
        </Group>
        {view.queues.length > 0 && (
          <div>
            <Text size="xs" fw={600} c="dimmed" mb={4}>
              {t("desk.your_queues")}
            </Text>
            <Group gap={6}>
              {view.queues.map((queue) => (
                <Tag key={queue} colour="grey">
                  {queue}
                </Tag>
              ))}
            </Group>
          </div>
        )}
      </Stack>
    </Card>
  );
}
