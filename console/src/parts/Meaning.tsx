import {
  IconAlertTriangle, IconCircleCheck, IconClockPause, IconCoffee, IconHeadset, IconHourglass, IconMoodAngry,
  IconMoodNervous, IconMoodSmile, IconNotes, IconPhoneCall, IconPhoneIncoming, IconPlayerPause, IconPlugX, IconRobot,
  IconUsers,
} from "@tabler/icons-react"; // prettier-ignore
import type { ReactNode } from "react";

import type { BoardAgent, BoardCall, Summary } from "../api/schema";
import { named, useT } from "../i18n";
import classes from "./Meaning.module.css";

export type Colour = "green" | "blue" | "amber" | "violet" | "red" | "grey";
type Icon = typeof IconRobot;

/** A word with its sign and colour; the colour alone never says anything. */
export function Tag({
  colour,
  icon: Sign,
  children,
}: {
  colour: Colour;
  icon?: Icon | undefined;
  children: ReactNode;
}) {
  return (
    <span className={classes["tag"]} data-colour={colour}>
      {Sign && <Sign size={15} stroke={2} aria-hidden />}
      <span className="clip">{children}</span>
    </span>
  );
}

export const STATES: Record<BoardAgent["state"], { colour: Colour; icon: Icon }> = {
  available: { colour: "green", icon: IconCircleCheck },
  on_break: { colour: "amber", icon: IconCoffee },
  offered: { colour: "violet", icon: IconPhoneIncoming },
  on_call: { colour: "blue", icon: IconHeadset },
  wrap_up: { colour: "violet", icon: IconNotes },
  offline: { colour: "grey", icon: IconPlugX },
};

const PHASES: Record<BoardCall["phase"], { colour: Colour; icon: Icon }> = {
  bot: { colour: "grey", icon: IconRobot },
  waiting: { colour: "amber", icon: IconHourglass },
  offered: { colour: "violet", icon: IconPhoneIncoming },
  agent: { colour: "blue", icon: IconHeadset },
  on_hold: { colour: "amber", icon: IconPlayerPause },
  consulting: { colour: "violet", icon: IconUsers },
};

const MOODS: Record<Summary["mood"], { colour: Colour; icon: Icon }> = {
  neutral: { colour: "grey", icon: IconMoodSmile },
  impatient: { colour: "amber", icon: IconMoodNervous },
  angry: { colour: "red", icon: IconMoodAngry },
};

export function StateTag({ state, reason }: { state: BoardAgent["state"]; reason?: string }) {
  const t = useT();
  return (
    <Tag {...STATES[state]}>
      {t(`state.${state}`)}
      {reason && state === "on_break" ? `: ${named(t, "reason", reason)}` : ""}
    </Tag>
  );
}

export function PhaseTag({ phase }: { phase: BoardCall["phase"] }) {
  const t = useT();
  return <Tag {...PHASES[phase]}>{t(`phase.${phase}`)}</Tag>;
}

export function MoodTag({ mood }: { mood: Summary["mood"] }) {
  const t = useT();
  return <Tag {...MOODS[mood]}>{t(`mood.${mood}`)}</Tag>;
}

export function AlertTag({ kind }: { kind: string }) {
  const t = useT();
  return (
    <Tag colour="red" icon={IconAlertTriangle}>
      {named(t, "alert", kind)}
    </Tag>
  );
}

const OUTCOMES: Record<string, { colour: Colour; icon: Icon }> = {
  contained: { colour: "green", icon: IconRobot },
  handed_off: { colour: "blue", icon: IconHeadset },
  callback_promised: { colour: "violet", icon: IconPhoneCall },
  abandoned: { colour: "amber", icon: IconClockPause },
};

export function OutcomeTag({ outcome }: { outcome: string }) {
  const t = useT();
  const look = OUTCOMES[outcome] ?? {
    colour: outcome ? "red" : "grey",
    icon: outcome ? IconAlertTriangle : IconPhoneCall,
  };
  return <Tag {...look}>{named(t, "outcome", outcome)}</Tag>;
}
