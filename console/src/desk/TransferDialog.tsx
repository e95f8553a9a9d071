import { Button, Group, Modal, Select, Stack, Tabs, Text, TextInput } from "@mantine/core";
import { IconHeadset, IconPhone, IconRobot, IconUsersGroup } from "@tabler/icons-react";
import { useState } from "react";

import type { AgentCall, BoardAgent, Target } from "../api/schema";
import { useAgents } from "../board/useBoard";
import { useLanguage, useT } from "../i18n";
import { StateTag } from "../parts/Meaning";
import { Empty, Lines } from "../parts/States";
import { useSession } from "../session/session";
import { useDesk } from "./desk";
import { useSettings } from "./settings";
import classes from "./TransferDialog.module.css";

interface Props {
  opened: boolean;
  onClose: () => void;
  call: AgentCall;
}

type Kind = Target["kind"];

const NUMBER = /^\+?[\d ()-]{2,20}$/;

/** To whom the call goes: at once, or after asking them. */
export function TransferDialog({ opened, onClose, call }: Props) {
  const t = useT();
  return (
    <Modal opened={opened} onClose={onClose} title={t("desk.transfer_title")} size="lg">
      <Choice call={call} onClose={onClose} />
    </Modal>
  );
}

function Choice({ call, onClose }: Omit<Props, "opened">) {
  const t = useT();
  const { commands } = useDesk();
  const [kind, setKind] = useState<Kind>("agent");
  const [names, setNames] = useState<Record<Kind, string>>({ agent: "", queue: "", number: "", flow: "" });
  const [busy, setBusy] = useState(false);
  const name = names[kind];
  const ready = kind === "flow" || (kind === "number" ? NUMBER.test(name) : name !== "");
  const choose = (value: string) => setNames({ ...names, [kind]: value });
  const to: Target = { kind, name: kind === "number" ? name.replace(/[ ()-]/g, "") : name };

  async function go(how: "transfer" | "consult") {
    setBusy(true);
    const went = await commands[how](to);
    setBusy(false);
    if (went) onClose();
  }

  return (
    <Stack gap="lg">
      <Tabs value={kind} onChange={(value) => setKind(value as Kind)} keepMounted={false}>
        <Tabs.List grow mb="md" pt={6} px={4}>
          <Tabs.Tab value="agent" leftSection={<IconHeadset size={16} />} data-autofocus>
            {t("desk.to_agent")}
          </Tabs.Tab>
          <Tabs.Tab value="queue" leftSection={<IconUsersGroup size={16} />}>
            {t("desk.to_queue")}
          </Tabs.Tab>
          <Tabs.Tab value="number" leftSection={<IconPhone size={16} />}>
            {t("desk.to_number")}
          </Tabs.Tab>
          <Tabs.Tab value="flow" leftSection={<IconRobot size={16} />}>
            {t("desk.to_flow")}
          </Tabs.Tab>
        </Tabs.List>
        <div className={classes.panel}>
          <Tabs.Panel value="agent">
            <AgentChoice chosen={name} onChoose={choose} />
          </Tabs.Panel>
          <Tabs.Panel value="queue">
            <QueueChoice chosen={name} onChoose={choose} />
          </Tabs.Panel>
          <Tabs.Panel value="number">
            <TextInput
              label={t("desk.number_label")}
              description={t("desk.number_hint")}
              inputMode="tel"
              value={name}
              onChange={(event) => choose(event.currentTarget.value)}
            />
          </Tabs.Panel>
          <Tabs.Panel value="flow">
            <FlowChoice chosen={name} onChoose={choose} language={call.language} />
          </Tabs.Panel>
        </div>
      </Tabs>
      <Group justify="flex-end" gap="sm">
        {(kind === "agent" || kind === "number") && (
          <>
            <Text size="sm" c="dimmed" flex={1}>
              {t("desk.ask_first_hint")}
            </Text>
            <Button variant="default" disabled={!ready || busy} onClick={() => void go("consult")}>
              {t("desk.ask_first")}
            </Button>
          </>
        )}
        <Button disabled={!ready} loading={busy} onClick={() => void go("transfer")}>
          {t("desk.blind")}
        </Button>
      </Group>
    </Stack>
  );
}

interface ChoiceProps {
  chosen: string;
  onChoose: (name: string) => void;
}

function AgentChoice({ chosen, onChoose }: ChoiceProps) {
  const t = useT();
  const { session } = useSession();
  const agents = useAgents().data;
  if (!agents) return <Lines />;
  const others = agents
    .filter((agent) => agent.login !== session.login && agent.state !== "offline")
    .sort((a, b) => Number(b.state === "available") - Number(a.state === "available") || a.name.localeCompare(b.name));
  if (!others.length) return <Empty icon={<IconHeadset size={32} stroke={1.5} />} title={t("desk.no_agents")} />;
  return (
    <div role="radiogroup" aria-label={t("desk.to_agent")}>
      {others.map((agent: BoardAgent) => (
        <button
          key={agent.login}
          type="button"
          role="radio"
          aria-checked={agent.login === chosen}
          className={classes.option}
          onClick={() => onChoose(agent.login)}
        >
          <span className="clip">{agent.name}</span>
          <StateTag state={agent.state} reason={agent.reason} />
        </button>
      ))}
    </div>
  );
}

function QueueChoice({ chosen, onChoose }: ChoiceProps) {
  const t = useT();
  const queues = useSettings().data?.queues ?? [];
  return (
    <div role="radiogroup" aria-label={t("desk.to_queue")}>
      {queues.map(({ name }) => (
        <button
          key={name}
          type="button"
          role="radio"
          aria-checked={name === chosen}
          className={classes.option}
          onClick={() => onChoose(name)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

function FlowChoice({ chosen, onChoose, language }: ChoiceProps & { language: string }) {
  const { t } = useLanguage();
  const flows = useSettings().data?.flows ?? [];
  const options = new Map(
    flows.map((flow) => [flow.name, flow.title[language] ?? Object.values(flow.title)[0] ?? flow.name]),
  );
  return (
    <Select
      label={t("desk.flow_label")}
      data={[{ value: "", label: t("desk.flow_start") }, ...[...options].map(([value, label]) => ({ value, label }))]}
      value={chosen}
      onChange={(value) => onChoose(value ?? "")}
      allowDeselect={false}
    />
  );
}
