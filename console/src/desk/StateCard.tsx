import { Button, Card, Group, Kbd, Menu, Text } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useState } from "react";

import type { AgentView } from "../api/schema";
import { named, useT } from "../i18n";
import { useKeys } from "../parts/keys";
import { STATES } from "../parts/Meaning";
import { Since } from "../parts/Times";
import { useDesk, useLine } from "./desk";
import { useSettings } from "./settings";
import { allowNotifications } from "./notice";
import classes from "./StateCard.module.css";

/** The agent's state, as large as it matters, and the ways to change it. */
export function StateCard({ view }: { view: AgentView }) {
  const t = useT();
  const { commands } = useDesk();
  const { state: line } = useLine();
  const [choosing, setChoosing] = useState(false);
  const reasons = useSettings().data?.break_reasons ?? [];
  const { icon: Sign, ...look } = STATES[view.state];
  const missed = view.state === "on_break" && view.reason === "no_answer";
  const deaf = view.reach === "browser" && line !== "up";
  const colour = deaf && view.state === "available" ? "amber" : look.colour;

  const available = () => {
    void allowNotifications();
    commands.become({ state: "available", reason: "" });
  };
  const offline = () => commands.become({ state: "offline", reason: "" });
  useKeys({ a: available, b: () => setChoosing(true), o: offline });

  return (
    <Card padding={0} className={classes.card} data-colour={colour}>
      <div className={classes.state} role="status">
        <span className={classes.sign}>
          <Sign size={34} stroke={1.8} aria-hidden />
        </span>
        <div>
          <Text className={classes.word} component="p">
            {t(`state.${view.state}`)}
            {view.reason && !missed && view.state === "on_break" && <span> · {named(t, "reason", view.reason)}</span>}
          </Text>
          <Text c="dimmed">
            {missed
              ? t("desk.no_answer_text")
              : deaf && view.state === "available"
                ? t("desk.state_deaf")
                : t(`desk.state_${view.state}`)}
          </Text>
        </div>
        <div className={classes.time}>
          <Text c="dimmed" size="sm">
            {t("desk.in_state")}
          </Text>
          <Text fz={28} fw={600} lh={1.1}>
            <Since at={view.since} />
          </Text>
        </div>
      </div>
      <Group className={classes.actions} gap="sm">
        {view.state !== "available" && (
          <Button
            size="md"
            color="green.8"
            onClick={available}
            rightSection={
              <Kbd size="xs" aria-hidden>
                A
              </Kbd>
            }
          >
            {t("desk.go_available")}
          </Button>
        )}
        <Menu opened={choosing} onChange={setChoosing} position="bottom-start" shadow="md" width={220}>
          <Menu.Target>
            <Button
              size="md"
              variant="default"
              rightSection={
                <Kbd size="xs" aria-hidden>
                  B
                </Kbd>
              }
              leftSection={<IconChevronDown size={16} />}
            >
              {t("desk.break")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {reasons.map((reason) => (
              <Menu.Item key={reason} onClick={() => commands.become({ state: "break", reason })}>
                {named(t, "reason", reason)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        {view.state !== "offline" && (
          <Button
            size="md"
            variant="subtle"
            color="gray"
            onClick={offline}
            rightSection={
              <Kbd size="xs" aria-hidden>
                O
              </Kbd>
            }
          >
            {t("desk.go_offline")}
          </Button>
        )}
        {deaf && line === "off" && view.state !== "available" && (
          <Text size="sm" c="dimmed">
            {t("desk.connect_first")}
          </Text>
        )}
      </Group>
    </Card>
  );
}
