import { Alert, Card, Group, Popover, Stack, Tabs, Text, Textarea, UnstyledButton } from "@mantine/core";
import {
  IconBook, IconChevronDown, IconHistory, IconListDetails, IconMicrophoneOff, IconPlugConnectedX,
} from "@tabler/icons-react"; // prettier-ignore
import { useRef } from "react";

import type { AgentCall } from "../api/schema";
import type { LineView } from "../audio/line";
import { useT } from "../i18n";
import { CrmLink, EarlierCalls, SummaryView } from "../live/SummaryView";
import { Transcript } from "../live/Transcript";
import { lastQuestion } from "../live/turns";
import { useCall } from "../live/useCall";
import { MoodTag, Tag } from "../parts/Meaning";
import { Since } from "../parts/Times";
import { clock, phone, secondsUntil, useNow } from "../parts/time";
import { AskedControls, CallControls } from "./CallControls";
import classes from "./CallView.module.css";
import { ConsultBar } from "./ConsultBar";
import { useLine } from "./desk";
import { DeviceChoice } from "./Devices";
import { Knowledge } from "./Knowledge";
import { LevelMeters } from "./LevelMeters";
import { NetworkQuality } from "./NetworkQuality";
import { useNotes } from "./useNotes";

/** The desk during a talk. */
export function CallView({ call }: { call: AgentCall }) {
  const t = useT();
  const live = useCall(call.call_id);
  const turns = live.call ? live.turns : live.turns.length ? live.turns : call.summary.last_turns;
  const summary = live.call?.summary ?? call.summary;
  const notes = useRef<HTMLTextAreaElement>(null);
  return (
    <div className={classes.page}>
      <Card className={classes.top ?? ""} padding="md">
        <CallHead call={call} mood={summary.mood} />
        <CallTrouble call={call} />
        {call.asked_by ? (
          <AskedControls toNotes={() => notes.current?.focus()} />
        ) : (
          <CallControls call={call} toNotes={() => notes.current?.focus()} />
        )}
        {call.consult && <ConsultBar party={call.consult} />}
      </Card>
      <Card className={classes.words ?? ""} padding="md">
        <Text fw={600} mb="xs">
          {t("desk.transcript")}
        </Text>
        <Transcript turns={turns} live height="100%" />
      </Card>
      <Card className={classes.side ?? ""} padding="md">
        <Tabs defaultValue="summary" keepMounted={false} className={classes.tabs ?? ""}>
          <Tabs.List mb="md">
            <Tabs.Tab value="summary" leftSection={<IconListDetails size={16} />}>
              {t("desk.summary")}
            </Tabs.Tab>
            <Tabs.Tab value="knowledge" leftSection={<IconBook size={16} />}>
              {t("desk.knowledge")}
            </Tabs.Tab>
            <Tabs.Tab value="earlier" leftSection={<IconHistory size={16} />}>
              {t("desk.history")}
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="summary">
            <SummaryView summary={summary} />
          </Tabs.Panel>
          <Tabs.Panel value="knowledge">
            <Knowledge question={lastQuestion(turns)} language={call.language} />
          </Tabs.Panel>
          <Tabs.Panel value="earlier">
            <EarlierCalls earlier={call.earlier} />
          </Tabs.Panel>
        </Tabs>
      </Card>
      <Card className={classes.notes ?? ""} padding="md">
        <Notes entry={call.entry} first={call.notes} field={notes} />
      </Card>
    </div>
  );
}

function CallHead({ call, mood }: { call: AgentCall; mood: AgentCall["summary"]["mood"] }) {
  const t = useT();
  const now = useLine();
  const dialling = call.state === "connecting" && !call.caller_on_line;
  const calling = call.by_hand ? "by_hand" : "dialling";
  const state = call.asked_by ? "asked" : dialling ? calling : call.state;
  const words = {
    talking: t("desk.talking"),
    connecting: t("desk.connecting"),
    dialling: t("desk.dialling"),
    by_hand: t("desk.by_hand"),
    on_hold: t("desk.on_hold"),
    line_lost: t("desk.line_lost_call"),
    asked: t("desk.asked", { name: call.asked_by }),
    consulting: t("desk.consulting", { name: call.consult?.name ?? "" }),
  };
  const colour = state === "talking" ? "blue" : state === "line_lost" ? "red" : "amber";
  return (
    <Group justify="space-between" gap="md">
      <div>
        <Text className={classes.caller} component="p">
          {phone(call.caller) || t("app.unknown_caller")}
        </Text>
        <Group gap={10}>
          <Text size="sm" c="dimmed">
            {call.queue}
          </Text>
          <MoodTag mood={mood} />
          <CrmLink url={call.crm_url} />
        </Group>
      </div>
      <Group gap="md" role="status">
        {now.state !== "off" && <CallAudio now={now} />}
        {call.muted && (
          <Tag colour="red" icon={IconMicrophoneOff}>
            {t("desk.muted")}
          </Tag>
        )}
        <Tag colour={colour}>{words[state]}</Tag>
        <Text fz={26} fw={650} lh={1}>
          <Since at={call.since} />
        </Text>
      </Group>
    </Group>
  );
}

/** The line's quality; a click shows how loud it is, and lets the agent choose another headset. */
function CallAudio({ now }: { now: LineView }) {
  const t = useT();
  return (
    <Popover width={320} position="bottom-end" shadow="md" trapFocus>
      <Popover.Target>
        <UnstyledButton className={classes.audio ?? ""} aria-label={t("desk.devices")}>
          <NetworkQuality now={now} />
          <IconChevronDown size={16} aria-hidden />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <LevelMeters />
          <DeviceChoice inCall />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function CallTrouble({ call }: { call: AgentCall }) {
  const t = useT();
  const now = useNow();
  const { trouble } = useLine();
  if (call.unheard || trouble === "silent")
    return (
      <Alert color="orange" mt="sm" icon={<IconMicrophoneOff />} role="alert" title={t("desk.unheard")}>
        {t("desk.trouble_silent")}
      </Alert>
    );
  if (call.state !== "line_lost") return null;
  return (
    <Alert color="orange" mt="sm" icon={<IconPlugConnectedX />} role="alert" title={t("desk.line_lost")}>
      {call.back_until
        ? t("desk.back_until", { time: clock(Math.ceil(secondsUntil(call.back_until, now))) })
        : t("desk.line_lost_call")}
    </Alert>
  );
}

interface NotesProps {
  entry: string;
  first: string;
  field: React.RefObject<HTMLTextAreaElement | null>;
}

function Notes({ entry, first, field }: NotesProps) {
  const t = useT();
  const { notes, saving, write } = useNotes(entry, first);
  return (
    <Textarea
      ref={field}
      label={
        <Group gap={8} component="span">
          {t("desk.notes")}
          <Text size="xs" c={saving === "failed" ? "var(--vb-red)" : "dimmed"} component="span" role="status">
            {saving !== "untouched" && t(`desk.notes_${saving}`)}
          </Text>
        </Group>
      }
      placeholder={t("desk.notes_placeholder")}
      maxLength={10_000}
      rows={3}
      value={notes}
      onChange={(event) => write(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}
