import { Card, Group, Text, Title, Tooltip } from "@mantine/core";
import { IconUsersGroup } from "@tabler/icons-react";

import type { BoardQueue } from "../api/schema";
import { useLanguage, useT } from "../i18n";
import { Empty } from "../parts/States";
import { Length } from "../parts/Times";
import { percent } from "../parts/time";
import classes from "./QueuesCard.module.css";

export function QueuesCard({ queues }: { queues: BoardQueue[] }) {
  const t = useT();
  return (
    <Card padding="md">
      <Title order={2} mb="xs">
        {t("board.queues")}
      </Title>
      {!queues.length && (
        <Empty icon={<IconUsersGroup size={32} stroke={1.5} />} title={t("board.no_queues")}>
          {t("board.no_queues_detail")}
        </Empty>
      )}
      {queues.map((queue) => (
        <Queue key={queue.name} queue={queue} />
      ))}
    </Card>
  );
}

const LOW = 0.7;

function Queue({ queue }: { queue: BoardQueue }) {
  const { t, language } = useLanguage();
  const level = queue.service_level;
  const today = [
    `${queue.answered_today} ${t("board.queue_answered")}`,
    `${queue.abandoned_today} ${t("board.queue_abandoned")}`,
    ...(queue.callbacks ? [`${queue.callbacks} ${t("board.queue_callbacks")}`] : []),
  ];
  return (
    <div className={classes.queue}>
      <Group justify="space-between" wrap="nowrap">
        <Text fw={600} className="clip">
          {queue.name}
        </Text>
        <Tooltip label={t("board.level")}>
          <Text size="sm" fw={600} className="tabular" c={level !== null && level < LOW ? "var(--vb-red)" : "dimmed"}>
            {level === null ? "–" : percent(level, language)}
          </Text>
        </Tooltip>
      </Group>
      <dl className={classes.numbers}>
        <div>
          <dt>{t("board.queue_waiting")}</dt>
          <dd>{queue.waiting}</dd>
        </div>
        <div>
          <dt>{t("desk.longest")}</dt>
          <dd>
            <Length seconds={queue.longest_wait_s} />
          </dd>
        </div>
        <div>
          <dt>{t("board.queue_free")}</dt>
          <dd>{queue.available}</dd>
        </div>
        <div>
          <dt>{t("board.queue_talking")}</dt>
          <dd>{queue.on_call}</dd>
        </div>
      </dl>
      <Text size="xs" c="dimmed">
        {t("time.today")}: {today.join(" · ")}
      </Text>
    </div>
  );
}
