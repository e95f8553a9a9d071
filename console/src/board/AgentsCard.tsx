import { Card, Group, ScrollArea, Text, Title, Tooltip } from "@mantine/core";
import { IconDeviceLandlinePhone, IconHeadset, IconMicrophoneOff } from "@tabler/icons-react";
import { Link } from "wouter";

import type { BoardAgent } from "../api/schema";
import { useT } from "../i18n";
import { StateTag } from "../parts/Meaning";
import { Empty } from "../parts/States";
import { Since } from "../parts/Times";
import classes from "./AgentsCard.module.css";

const ORDER: BoardAgent["state"][] = ["offered", "on_call", "available", "wrap_up", "on_break", "offline"];

export function AgentsCard({ agents }: { agents: BoardAgent[] }) {
  const t = useT();
  const sorted = [...agents].sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.name.localeCompare(b.name),
  );
  return (
    <Card padding="md">
      <Title order={2} mb="xs">
        {t("board.agents")}
      </Title>
      {!agents.length && (
        <Empty icon={<IconHeadset size={32} stroke={1.5} />} title={t("board.no_agents")}>
          {t("board.no_agents_detail")}
        </Empty>
      )}
      <ScrollArea.Autosize mah={420} viewportProps={{ tabIndex: 0, "aria-label": t("board.agents") }}>
        <ul className={classes.list}>
          {sorted.map((agent) => (
            <Agent key={agent.login} agent={agent} />
          ))}
        </ul>
      </ScrollArea.Autosize>
    </Card>
  );
}

function Agent({ agent }: { agent: BoardAgent }) {
  const t = useT();
  const deaf = agent.reach === "browser" && agent.line !== "up" && agent.state !== "offline";
  return (
    <li className={classes.agent}>
      <Group gap={6} wrap="nowrap" miw={0}>
        <Text className="clip" fw={500}>
          {agent.call_id ? (
            <Link href={`/live/${agent.call_id}`} className={classes.link}>
              {agent.name}
            </Link>
          ) : (
            agent.name
          )}
        </Text>
        {agent.reach === "phone" && (
          <Tooltip label={t("desk.reach_phone")}>
            <IconDeviceLandlinePhone size={15} className={classes.sign} aria-label={t("desk.reach_phone")} />
          </Tooltip>
        )}
        {deaf && (
          <Tooltip label={t(`line.${agent.line}`)}>
            <IconMicrophoneOff
              size={15}
              color="var(--vb-red)"
              className={classes.sign}
              aria-label={t(`line.${agent.line}`)}
            />
          </Tooltip>
        )}
      </Group>
      <Text size="sm" c="dimmed" ta="end">
        <Since at={agent.since} />
      </Text>
      <StateTag state={agent.state} reason={agent.reason} />
      <Text size="xs" c="dimmed" ta="end" className="clip">
        {agent.queues.join(", ")}
      </Text>
    </li>
  );
}
