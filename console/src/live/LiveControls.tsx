import { Alert, Button, Group, Menu, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconEar, IconEarOff, IconMessage2, IconMicrophone, IconPhoneOff, IconRobot, IconUserUp,
} from "@tabler/icons-react"; // prettier-ignore
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";

import { api, part } from "../api/client";
import type { LiveCall } from "../api/schema";
import { Listening, type ListenMode, type ListeningView } from "../audio/listening";
import { useSettings } from "../desk/settings";
import { useLanguage, useT } from "../i18n";
import { Confirm } from "../parts/Confirm";
import { useKeys } from "../parts/keys";
import { told, useCommand } from "../parts/States";
import classes from "./LiveControls.module.css";

/** What a supervisor can do in a call: hear it, take part, take it over, end it. */
export function LiveControls({ call }: { call: LiveCall }) {
  const t = useT();
  const id = call.row.call_id;
  const [listening] = useState(() => new Listening(id));
  const view = useSyncExternalStore(listening.watch, listening.state);
  useEffect(() => () => listening.stop(), [listening]);
  const client = useQueryClient();
  useEffect(() => {
    if (view.state !== "connecting") void client.invalidateQueries({ queryKey: ["live", id] }); // who listens is new
  }, [client, id, view.state, view.mode]);

  const on = view.state !== "off";
  const taken = view.mode === "taken_over" && on;
  const withAgent = call.row.agent !== "";
  const be = (mode: ListenMode) => () => void listening.be(mode);
  useKeys({
    l: be("listen"),
    w: withAgent ? be("whisper") : undefined,
    j: be("barge"),
    x: on ? () => listening.stop() : undefined,
  });
  const mode = (which: ListenMode) => (on && view.mode === which ? "filled" : "default");

  return (
    <>
      <div className={classes.bar}>
        {!taken && (
          <Button.Group className={classes.modes ?? ""}>
            <Button
              variant={mode("listen")}
              aria-pressed={on && view.mode === "listen"}
              leftSection={<IconEar size={18} />}
              title={t("live.listen_hint")}
              onClick={be("listen")}
            >
              {t("live.listen")}
            </Button>
            <Button
              variant={mode("whisper")}
              aria-pressed={on && view.mode === "whisper"}
              leftSection={<IconMessage2 size={18} />}
              title={t(withAgent ? "live.whisper_hint" : "live.needs_agent")}
              disabled={!withAgent}
              onClick={be("whisper")}
            >
              {t("live.whisper")}
            </Button>
            <Button
              variant={mode("barge")}
              aria-pressed={on && view.mode === "barge"}
              leftSection={<IconMicrophone size={18} />}
              title={t("live.barge_hint")}
              onClick={be("barge")}
            >
              {t("live.barge")}
            </Button>
          </Button.Group>
        )}
        {on && !taken && (
          <Button variant="default" leftSection={<IconEarOff size={18} />} onClick={() => listening.stop()}>
            {t("live.stop")}
          </Button>
        )}
        <ListenStatus view={view} />
        <Interventions call={call} listening={listening} taken={taken} />
      </div>
      {view.error !== null && (
        <Alert color="red" mt="sm" role="alert" title={told(view.error, t).title}>
          {view.error instanceof DOMException ? t("desk.trouble_denied") : told(view.error, t).remedy}
        </Alert>
      )}
    </>
  );
}

const HEARD = {
  listen: "live.listening",
  whisper: "live.whispering",
  barge: "live.barging",
  taken_over: "live.talking",
} as const;
const HINTS = {
  listen: "live.listen_hint",
  whisper: "live.whisper_hint",
  barge: "live.barge_hint",
  taken_over: "live.talking_hint",
} as const;

function ListenStatus({ view }: { view: ListeningView }) {
  const t = useT();
  const words = {
    off: "",
    connecting: t("live.connecting"),
    lost: t("live.lost"),
    on: `${t(HEARD[view.mode])}. ${t(HINTS[view.mode])}`,
  };
  return (
    <Text
      size="sm"
      className={classes.status ?? ""}
      data-state={view.state}
      data-mode={view.mode}
      role="status"
      data-testid="listening"
      hidden={view.state === "off"}
    >
      {words[view.state]}
    </Text>
  );
}

interface InterventionsProps {
  call: LiveCall;
  listening: Listening;
  taken: boolean;
}

function Interventions({ call, listening, taken }: InterventionsProps) {
  const { t, language } = useLanguage();
  const id = call.row.call_id;
  const [asking, ask] = useDisclosure();
  const [ending, end] = useDisclosure();
  const takeOver = useCommand(() => listening.takeOver());
  const toBot = useCommand((flow: string) => listening.backToBot(flow));
  const finish = useCommand(() => api.post(`/live/${part(id)}/end`));
  const flows = (useSettings().data?.flows ?? []).filter((flow) => flow.bot === call.row.bot);
  return (
    <Group gap="xs" ml="auto">
      {!taken && (
        <Button
          variant="default"
          leftSection={<IconUserUp size={18} />}
          loading={takeOver.isPending}
          onClick={ask.open}
        >
          {t("live.take_over")}
        </Button>
      )}
      {(taken || call.row.phase !== "bot") && (
        <Menu position="bottom-end" shadow="md" width={240}>
          <Menu.Target>
            <Button variant="default" leftSection={<IconRobot size={18} />} loading={toBot.isPending}>
              {t("live.to_bot")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{t("desk.flow_label")}</Menu.Label>
            <Menu.Item onClick={() => toBot.mutate("")}>{t("desk.flow_start")}</Menu.Item>
            {flows.map((flow) => (
              <Menu.Item key={flow.name} onClick={() => toBot.mutate(flow.name)}>
                {flow.title[language] ?? Object.values(flow.title)[0] ?? flow.name}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      <Button color="red.8" leftSection={<IconPhoneOff size={18} />} loading={finish.isPending} onClick={end.open}>
        {t("live.end")}
      </Button>
      <Confirm
        opened={asking}
        onClose={ask.close}
        onYes={() => takeOver.mutate()}
        text={t("live.take_over_sure")}
        yes={t("live.take_over")}
      />
      <Confirm
        opened={ending}
        onClose={end.close}
        onYes={() => finish.mutate()}
        text={t("live.end_sure")}
        yes={t("live.end")}
      />
    </Group>
  );
}
