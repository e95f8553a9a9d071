import { Alert, Anchor, Button, Card, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconArrowLeft, IconPhoneOff, IconRecordMail } from "@tabler/icons-react";
import { Link, useParams } from "wouter";

import { ApiError } from "../api/client";
import type { LiveCall } from "../api/schema";
import { useAgents } from "../board/useBoard";
import { named, useT } from "../i18n";
import { AlertTag, MoodTag, PhaseTag } from "../parts/Meaning";
import { Empty, ErrorNote } from "../parts/States";
import { Since } from "../parts/Times";
import { phone } from "../parts/time";
import { Decisions } from "./Decisions";
import { Latencies } from "./Latencies";
import { Listeners } from "./Listeners";
import classes from "./LivePage.module.css";
import { LiveControls } from "./LiveControls";
import { Slots, SummaryView } from "./SummaryView";
import { Transcript } from "./Transcript";
import { useCall } from "./useCall";

export default function LivePage() {
  const { call: id } = useParams<{ call: string }>();
  return <Page key={id} id={id} />;
}

function Page({ id }: { id: string }) {
  const t = useT();
  const { call, turns, ended, error, retry } = useCall(id);
  const gone = error instanceof ApiError && error.status === 404;
  return (
    <Stack gap="md">
      <Group gap="sm">
        <Anchor component={Link} href="/board" c="dimmed" size="sm" underline="hover">
          <IconArrowLeft size={15} style={{ verticalAlign: "-2px" }} aria-hidden /> {t("board.title")}
        </Anchor>
      </Group>
      {(ended || gone) && <Ended id={id} />}
      {error && !gone && !call && <ErrorNote error={error} onRetry={retry} />}
      {!call && !error && <Skeleton height={620} />}
      {call && (
        <>
          <Card padding="md">
            <Head call={call} />
            {!ended && <LiveControls call={call} />}
          </Card>
          {call.refused_recording && (
            <Alert color="blue" icon={<IconRecordMail />}>
              {t("live.refused")}
            </Alert>
          )}
          <div className={classes.columns}>
            <Card className={classes.words ?? ""}>
              <Title order={2} mb="xs">
                {t("desk.transcript")}
              </Title>
              <Transcript turns={turns} live height="100%" />
            </Card>
            <Stack gap="md">
              <Card>
                <Title order={2} mb="xs">
                  {t("live.slots")}
                </Title>
                <Slots slots={call.slots} />
              </Card>
              <Card>
                <Decisions decisions={call.decisions} />
              </Card>
            </Stack>
            <Stack gap="md">
              <Card>
                <Latencies latencies={call.latencies} />
              </Card>
              <Card>
                <Listeners listeners={call.listeners} />
              </Card>
              <Card>
                <Title order={2} mb="xs">
                  {t("desk.summary")}
                </Title>
                <SummaryView summary={call.summary} withSlots={false} />
              </Card>
            </Stack>
          </div>
        </>
      )}
    </Stack>
  );
}

function Ended({ id }: { id: string }) {
  const t = useT();
  return (
    <Card>
      <Empty icon={<IconPhoneOff size={36} stroke={1.5} />} title={t("live.ended")}>
        <Stack gap="sm" align="center">
          {t("live.ended_detail")}
          <Button component={Link} href={`/calls/${id}`} variant="default">
            {t("live.to_past")}
          </Button>
        </Stack>
      </Empty>
    </Card>
  );
}

function Head({ call }: { call: LiveCall }) {
  const t = useT();
  const { row } = call;
  const names = new Map(useAgents().data?.map((agent) => [agent.login, agent.name]));
  const where = [row.bot, named(t, "lang", row.language), row.flow.replaceAll("_", " "), row.step]
    .filter(Boolean)
    .join(" · ");
  return (
    <Group justify="space-between" gap="md" mb="md">
      <div>
        <Title order={1} className="tabular">
          {phone(row.caller) || t("app.unknown_caller")}
        </Title>
        <Text c="dimmed" size="sm" className="words">
          {where}
        </Text>
      </div>
      <Group gap="sm">
        {row.alerts.map((kind) => (
          <AlertTag key={kind} kind={kind} />
        ))}
        <MoodTag mood={row.mood} />
        <PhaseTag phase={row.phase} />
        {row.agent && (
          <Text size="sm" c="dimmed">
            {t("live.agent_talks", { name: names.get(row.agent) ?? row.agent })}
          </Text>
        )}
        <Text fz={26} fw={650} lh={1}>
          <Since at={row.started_at} />
        </Text>
      </Group>
    </Group>
  );
}
