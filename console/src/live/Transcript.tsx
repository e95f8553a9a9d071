import { Button, Text } from "@mantine/core";
import { IconArrowDown, IconHeadset, IconMessages, IconRobot, IconUser } from "@tabler/icons-react";
import { useLayoutEffect, useRef, useState } from "react";

import type { Turn } from "../api/schema";
import { useLanguage, useT } from "../i18n";
import { Empty } from "../parts/States";
import { clock, percent } from "../parts/time";
import classes from "./Transcript.module.css";

const SIGNS = { caller: IconUser, bot: IconRobot, agent: IconHeadset };
const NEAR_PX = 60;
const UNSURE = 0.6;

interface Props {
  turns: readonly Turn[];
  /** New words are read to those who cannot see them, and kept in view. */
  live?: boolean;
  /** The turn that is being heard, and what to do when one is chosen. */
  current?: number;
  onPick?: (turn: Turn) => void;
  height?: number | string;
}

export function Transcript({ turns, live = false, current, onPick, height }: Props) {
  const t = useT();
  const { list, away, follow, scrolled } = useFollow(live ? turns : null);

  useLayoutEffect(() => {
    if (current === undefined || current < 0) return;
    const line = list.current?.children[current];
    if (line instanceof HTMLElement && list.current)
      list.current.scrollTo({ top: line.offsetTop - list.current.clientHeight / 3, behavior: "smooth" });
  }, [current, list]);

  return (
    <div className={classes.frame} style={{ height }}>
      {!turns.length && <Empty icon={<IconMessages size={32} stroke={1.5} />} title={t("desk.transcript_none")} />}
      <ol
        ref={list}
        className={classes.list}
        onScroll={scrolled}
        aria-label={t("desk.transcript")}
        {...(live ? { role: "log", "aria-live": "polite", "aria-relevant": "additions" } : {})}
        // A scrolling region must be reachable by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        {turns.map((turn, at) => (
          <Line key={at} turn={turn} current={at === current} {...(onPick ? { onPick } : {})} />
        ))}
      </ol>
      {away && (
        <Button
          className={classes.newest ?? ""}
          size="xs"
          radius="xl"
          leftSection={<IconArrowDown size={14} />}
          onClick={follow}
        >
          {t("desk.to_bottom")}
        </Button>
      )}
    </div>
  );
}

function Line({ turn, current, onPick }: { turn: Turn; current: boolean; onPick?: (turn: Turn) => void }) {
  const { t, language } = useLanguage();
  const Sign = SIGNS[turn.who];
  const unsure = turn.confidence !== null && turn.confidence < UNSURE;
  const text = (
    <span className="words">
      {turn.keys ? `⌨ ${turn.text}` : turn.text}
      {turn.partial && <span className={classes.typing}>…</span>}
      {turn.interrupted && <span aria-hidden> ⏤</span>}
    </span>
  );
  return (
    <li
      className={classes.line}
      data-who={turn.who}
      data-partial={turn.partial || undefined}
      data-current={current || undefined}
      aria-hidden={turn.partial || undefined}
    >
      <span className={classes.sign}>
        <Sign size={16} stroke={2} aria-hidden />
      </span>
      <div className={classes.said}>
        <Text size="xs" c="dimmed" className={classes.head ?? ""}>
          <b>{turn.who === "agent" && turn.name ? turn.name : t(`who.${turn.who}`)}</b>
          <span className="tabular">{clock(turn.at_s)}</span>
          {unsure && <span>{t("desk.certainty", { share: percent(turn.confidence ?? 0, language) })}</span>}
        </Text>
        {onPick ? (
          <button type="button" className={classes.pick} onClick={() => onPick(turn)}>
            {text}
          </button>
        ) : (
          text
        )}
      </div>
    </li>
  );
}

/** Keeps the newest line in view until somebody scrolls up. */
function useFollow(turns: readonly Turn[] | null) {
  const list = useRef<HTMLOListElement>(null);
  const [away, setAway] = useState(false);
  const following = useRef(true);
  useLayoutEffect(() => {
    const element = list.current;
    if (turns && element && following.current) element.scrollTop = element.scrollHeight;
  }, [turns]);
  return {
    list,
    away: away && turns !== null,
    follow: () => {
      following.current = true;
      setAway(false);
      list.current?.scrollTo({ top: list.current.scrollHeight });
    },
    scrolled: () => {
      const element = list.current;
      if (!element || !turns) return;
      following.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
      setAway(!following.current);
    },
  };
}
