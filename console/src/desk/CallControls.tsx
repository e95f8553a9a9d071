import { Button, type ButtonProps, Kbd, Popover, SimpleGrid, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconArrowForwardUp, IconDialpad, IconMicrophone, IconMicrophoneOff, IconPhoneOff, IconPlayerPause, IconPlayerPlay,
} from "@tabler/icons-react"; // prettier-ignore
import { type ReactNode, useState } from "react";

import type { AgentCall } from "../api/schema";
import { useT } from "../i18n";
import { Confirm } from "../parts/Confirm";
import { useKeys } from "../parts/keys";
import classes from "./CallControls.module.css";
import { useDesk } from "./desk";
import { TransferDialog } from "./TransferDialog";

export function CallControls({ call, toNotes }: { call: AgentCall; toNotes: () => void }) {
  const t = useT();
  const { commands } = useDesk();
  const [transferring, transfer] = useDisclosure();
  const [pad, keypad] = useDisclosure();
  const [ending, end] = useDisclosure();
  const held = call.state === "on_hold";
  const free = call.state === "talking" || held; // while a colleague is asked, or the line is lost, the caller waits
  const mute = () => commands.mute(!call.muted);
  const hold = () => commands.hold(!held);
  useKeys({
    m: mute,
    h: free ? hold : undefined,
    t: free ? transfer.open : undefined,
    k: keypad.toggle,
    n: toNotes,
    e: end.open,
  });

  return (
    <div className={classes.bar} role="toolbar" aria-label={t("keys.call")}>
      <Control k="M" pressed={call.muted} onClick={mute} icon={call.muted ? <IconMicrophoneOff /> : <IconMicrophone />}>
        {t(call.muted ? "desk.unmute" : "desk.mute")}
      </Control>
      <Control
        k="H"
        pressed={held}
        disabled={!free}
        onClick={hold}
        icon={held ? <IconPlayerPlay /> : <IconPlayerPause />}
      >
        {t(held ? "desk.resume" : "desk.hold")}
      </Control>
      <Popover opened={pad} onChange={(open) => !open && keypad.close()} position="bottom" shadow="md" trapFocus>
        <Popover.Target>
          <span>
            <Control k="K" pressed={pad} onClick={keypad.toggle} icon={<IconDialpad />}>
              {t("desk.digits")}
            </Control>
          </span>
        </Popover.Target>
        <Popover.Dropdown data-keys>
          <Keypad onKeys={commands.digits} />
        </Popover.Dropdown>
      </Popover>
      <Control k="T" disabled={!free} onClick={transfer.open} icon={<IconArrowForwardUp />}>
        {t("desk.transfer")}
      </Control>
      <Control k="E" onClick={end.open} icon={<IconPhoneOff />} color="red.8" variant="filled" className={classes.end}>
        {t("desk.hang_up")}
      </Control>
      <TransferDialog opened={transferring} onClose={transfer.close} call={call} />
      <Confirm
        opened={ending}
        onClose={end.close}
        onYes={commands.end}
        text={t("desk.end_sure")}
        yes={t("desk.hang_up")}
      />
    </div>
  );
}

/** For an agent who is asked by a colleague: the caller is not theirs, they can only go. */
export function AskedControls({ toNotes }: { toNotes: () => void }) {
  const t = useT();
  const { commands } = useDesk();
  useKeys({ e: commands.end, n: toNotes });
  return (
    <div className={classes.bar} role="toolbar" aria-label={t("keys.call")}>
      <Control k="E" onClick={commands.end} icon={<IconPhoneOff />} color="red.8" variant="filled">
        {t("desk.leave_asked")}
      </Control>
    </div>
  );
}

interface ControlProps extends ButtonProps {
  k: string;
  icon: ReactNode;
  pressed?: boolean;
  onClick: () => void;
}

function Control({ k, icon, pressed, children, ...rest }: ControlProps) {
  return (
    <Button
      variant={pressed ? "filled" : "default"}
      size="md"
      leftSection={<span className={classes.icon}>{icon}</span>}
      rightSection={
        <Kbd size="xs" aria-hidden className={classes.kbd ?? ""}>
          {k}
        </Kbd>
      }
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      {...rest}
    >
      {children}
    </Button>
  );
}

const KEYS = "123456789*0#".split("");

function Keypad({ onKeys }: { onKeys: (keys: string) => void }) {
  const t = useT();
  const [sent, setSent] = useState("");
  const press = (key: string) => {
    setSent((before) => (before + key).slice(-20));
    onKeys(key);
  };
  // Digits may be typed while the pad is open.
  useKeys(Object.fromEntries(KEYS.map((key) => [key, () => press(key)])));
  return (
    <div role="group" aria-label={t("desk.keypad_title")}>
      <SimpleGrid cols={3} spacing={8} w={200}>
        {KEYS.map((key) => (
          <Button key={key} variant="default" size="md" onClick={() => press(key)}>
            {key}
          </Button>
        ))}
      </SimpleGrid>
      <Text size="sm" c="dimmed" mt="xs" className="tabular" role="status" mih={20}>
        {sent && t("desk.keypad_sent", { keys: sent })}
      </Text>
    </div>
  );
}
