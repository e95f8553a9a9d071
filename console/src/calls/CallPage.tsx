import { Alert, Anchor, Card, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconArrowLeft, IconMicrophoneOff, IconPhoneCall } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { Link, useParams } from "wouter";

import { api, part } from "../api/client";
import type { PastCall } from "../api/schema";
import { named, useLanguage, useT } from "../i18n";
import { Decisions } from "../live/Decisions";
import { Latencies } from "../live/Latencies";
import classes from "../live/LivePage.module.css";
import { EarlierCalls, Field, SummaryView } from "../live/SummaryView";
import { Transcript } from "../live/Transcript";
import { OutcomeTag, Tag } from "../parts/Meaning";
import { ErrorNote } from "../parts/States";
import { Length } from "../parts/Times";
import { decimal, exact, percent, phone } from "../parts/time";
import { useSession } from "../session/session";
import { PastAlerts } from "./PastAlerts";
import { Player, type PlayerHandle } from "./Player";
import { turnAt } from "./turnAt";

export default function CallPage() {
  const t = useT();
  const { may } = useSession();
  const { call: id } = useParams<{ call: string }>();
  const found = useQuery({ queryKey: ["call", id], queryFn: () => api.get<PastCall>(`/calls/${part(id)}`) });
  return (
    <Stack gap="md">
      {(may("supervisor") || may("operator")) && (
        <Anchor component={Link} href="/calls" c="dimmed" size="sm" underline="hover" w="fit-content">
          <IconArrowLeft size={15} style={{ verticalAlign: "-2px" }} aria-hidden /> {t("calls.title")}
        </Anchor>
      )}
      {found.isError && <ErrorNote error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={600} />}
      {found.data && <Call key={id} call={found.data} />}
    </Stack>
  );
}

function Call({ call }: { call: PastCall }) {
  const t = useT();
  const { may } = useSession();
  const player = useRef<PlayerHandle>(null);
  const [at, setAt] = useState<number | null>(null);
  const kept = call.recording === "kept";
  return (
    <>
      <Head call={call} />
      {kept ? (
        <Card>
          <Player ref={player} id={call.line.id} lengthS={call.line.duration_s ?? 0} onTime={setAt} />
        </Card>
      ) : call.line.outcome === "" ? (
        <Alert color="gray" icon={<IconPhoneCall />} title={t("calls.going_on")}>
          {may("supervisor") && (
            <Anchor component={Link} href={`/live/${call.line.id}`} size="sm">
              {t("calls.watch_live")}
            </Anchor>
          )}
        </Alert>
      ) : (
        <Alert color="gray" icon={<IconMicrophoneOff />}>
          {t(call.recording === "refused" ? "calls.refused" : "calls.not_recorded")}
        </Alert>
      )}
      <div className={classes.columns}>
        <Card className={classes.words ?? ""}>
          <Group justify="space-between" mb="xs" gap="xs">
            <Title order={2}>{t("desk.transcript")}</Title>
            {kept && (
              <Text size="xs" c="dimmed">
                {t("calls.pick_hint")}
              </Text>
            )}
          </Group>
          {call.transcript.length ? (
            <Transcript
              turns={call.transcript}
              height="100%"
              {...(kept ? { onPick: (turn) => player.current?.playFrom(turn.at_s) } : {})}
              {...(at === null ? {} : { current: turnAt(call.transcript, at) })}
            />
          ) : (
            <Text c="dimmed">{t("calls.no_words")}</Text>
          )}
        </Card>
        <Stack gap="md">
          <Card>
            <Title order={2} mb="xs">
              {t("desk.summary")}
            </Title>
            {call.summary ? <SummaryView summary={call.summary} /> : <Text c="dimmed">{t("calls.no_summary")}</Text>}
          </Card>
          {(call.notes || call.wrap_up_code) && (
            <Card>
              <Stack gap="sm">
                {call.wrap_up_code && (
                  <Field label={t("calls.wrap_up")}>
                    <Tag colour="violet">{named(t, "wrapup", call.wrap_up_code)}</Tag>
                  </Field>
                )}
                {call.notes && (
                  <Field label={t("calls.notes")}>
                    <Text className="words">{call.notes}</Text>
                  </Field>
                )}
              </Stack>
            </Card>
          )}
          <Card>
            <Title order={2} mb="xs">
              {t("desk.earlier")}
            </Title>
            <EarlierCalls earlier={call.earlier} />
          </Card>
        </Stack>
        <Stack gap="md">
          {call.alerts.length > 0 && (
            <PastAlerts
              alerts={call.alerts}
              {...(kept ? { onPick: (alert) => player.current?.playFrom(alert.at_s) } : {})}
            />
          )}
          <Card>
            <Decisions decisions={call.decisions} />
          </Card>
          <Card>
            <Latencies latencies={call.latencies} />
          </Card>
        </Stack>
      </div>
    </>
  );
}

function Head({ call: { line, sound } }: { call: PastCall }) {
  const { t, language } = useLanguage();
  const facts = [
    exact(line.started_at, language),
    line.bot,
    named(t, "lang", line.language),
    t("calls.dialled", { number: phone(line.dialled) }),
    ...(line.handoff_reason ? [t("calls.handoff", { reason: named(t, "handoff", line.handoff_reason) })] : []),
    ...(line.agent ? [line.agent] : []),
    ...(sound ? [t("calls.sound", { mark: decimal(sound.mos, language), loss: percent(sound.loss, language) })] : []),
  ];
  return (
    <Group justify="space-between" gap="md">
      <div>
        <Title order={1} className="tabular">
          {phone(line.caller) || t("app.unknown_caller")}
        </Title>
        <Text size="sm" c="dimmed" className="words">
          {facts.filter(Boolean).join(" · ")}
        </Text>
      </div>
      <Group gap="sm">
        <OutcomeTag outcome={line.outcome} />
        <Text fz={22} fw={650} lh={1}>
          <Length seconds={line.duration_s} />
        </Text>
      </Group>
    </Group>
  );
}
