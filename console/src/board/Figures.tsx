import { Card, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";

import type { Board } from "../api/schema";
import { useSettings } from "../desk/settings";
import { useLanguage } from "../i18n";
import { clock, percent, secondsSince, useNow } from "../parts/time";
import { counted, serviceLevel } from "./board";
import classes from "./BoardPage.module.css";

const LONG_WAIT_S = 120;
const LOW_LEVEL = 0.7;

/** The floor in six numbers. */
export function Figures({ board }: { board: Board }) {
  const { t, language } = useLanguage();
  const now = useNow();
  const settings = useSettings().data;
  const counts = counted(board.calls);
  const waits = board.calls
    .filter((call) => call.phase === "waiting" || call.phase === "offered")
    .map((call) => secondsSince(call.phase_since, now));
  const longest = waits.length ? Math.max(...waits) : null;
  const here = board.agents.filter((agent) => agent.state !== "offline");
  const free = here.filter((agent) => agent.state === "available").length;
  const level = serviceLevel(board.queues);
  const limits = new Set((settings?.queues ?? []).map((queue) => queue.service_level_s));
  const [limit] = limits;
  return (
    <div className={classes.figures}>
      <Figure label={t("board.with_bot")}>{counts.bot}</Figure>
      <Figure label={t("board.waiting")}>{counts.waiting}</Figure>
      <Figure label={t("board.with_agents")}>{counts.agents}</Figure>
      <Figure label={t("board.longest")} loud={(longest ?? 0) > LONG_WAIT_S}>
        {longest === null ? "–" : clock(longest)}
      </Figure>
      <Figure label={t("board.free")} loud={free === 0 && counts.waiting > 0} note={t("board.of", { n: here.length })}>
        {free}
      </Figure>
      <Figure
        label={t("board.level")}
        loud={level !== null && level < LOW_LEVEL}
        note={
          level === null
            ? t("board.no_calls_today")
            : limits.size === 1 && limit
              ? t("board.level_hint", { seconds: limit })
              : ""
        }
      >
        {level === null ? "–" : percent(level, language)}
      </Figure>
    </div>
  );
}

function Figure({
  label,
  note,
  loud,
  children,
}: {
  label: string;
  note?: string;
  loud?: boolean;
  children: ReactNode;
}) {
  return (
    <Card className={classes.figure ?? ""} data-loud={loud || undefined}>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Group gap="0 8px" align="baseline">
        <p className={classes.number}>{children}</p>
        {loud && <IconAlertTriangle size={18} color="var(--vb-red)" aria-hidden />}
        {note && (
          <Text size="xs" c="dimmed">
            {note}
          </Text>
        )}
      </Group>
    </Card>
  );
}
