import { Group, Menu, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconMicrophoneOff, IconWaveSine } from "@tabler/icons-react";
import { Link, useLocation } from "wouter";

import { useT } from "../i18n";
import { STATES, StateTag } from "../parts/Meaning";
import { Since } from "../parts/Times";
import classes from "./AgentBar.module.css";
import { useDesk, useLine } from "./desk";
import { StateMenuItems } from "./StateMenuItems";

/** The agent's own state, on every page; it leads back to the desk when something waits there. */
export function AgentBar() {
  const t = useT();
  const [path] = useLocation();
  const { view } = useDesk();
  const own = useLine().state;
  const line = own === "elsewhere" && view?.line === "up" ? "up" : own;
  if (!view) return null;
  const busy = view.state === "offered" || view.state === "on_call" || view.state === "wrap_up";
  const shown = (
    <Group gap={8} wrap="nowrap">
      <StateTag state={view.state} reason={view.reason} />
      <Text size="sm" c="dimmed" visibleFrom="xs">
        <Since at={view.since} />
      </Text>
      {view.reach === "browser" && view.state !== "offline" && (
        <Tooltip
          label={t(line === "up" ? "line.up" : line === "off" || line === "taken" ? "line.none" : "line.connecting")}
        >
          <Text component="span" lh={0} c={line === "up" ? "dimmed" : "var(--vb-red)"} visibleFrom="xs">
            {line === "up" ? <IconWaveSine size={18} /> : <IconMicrophoneOff size={18} />}
          </Text>
        </Tooltip>
      )}
    </Group>
  );
  if (busy)
    return path === "/desk" ? (
      <div className={classes.still}>{shown}</div>
    ) : (
      <UnstyledButton component={Link} href="/desk" className={classes.bar} data-call={STATES[view.state].colour}>
        {shown}
      </UnstyledButton>
    );
  return (
    <Menu width={220} position="bottom-start" shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes.bar} aria-label={t("desk.change_state")}>
          {shown}
          <IconChevronDown size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <StateMenuItems />
      </Menu.Dropdown>
    </Menu>
  );
}
