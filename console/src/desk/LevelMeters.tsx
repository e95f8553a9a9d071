import { Text } from "@mantine/core";
import { useEffect, useRef } from "react";

import { line } from "../audio/line";
import { useT } from "../i18n";
import classes from "./LevelMeters.module.css";

const FALL = 0.85;

/** How loud the microphone and the line are. Drawn outside React: it moves with every frame. */
export function LevelMeters() {
  const t = useT();
  const own = useRef<HTMLSpanElement>(null);
  const theirs = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const shown = { own: 0, theirs: 0 };
    let frame = requestAnimationFrame(function draw() {
      const now = line.levels();
      shown.own = Math.max(now.own, shown.own * FALL);
      shown.theirs = Math.max(now.theirs, shown.theirs * FALL);
      if (own.current) own.current.style.transform = `scaleX(${shown.own})`;
      if (theirs.current) theirs.current.style.transform = `scaleX(${shown.theirs})`;
      frame = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <div className={classes.meters} aria-hidden>
      <Text size="xs" c="dimmed">
        {t("desk.your_voice")}
      </Text>
      <span className={classes.meter}>
        <span ref={own} />
      </span>
      <Text size="xs" c="dimmed">
        {t("desk.their_voice")}
      </Text>
      <span className={classes.meter}>
        <span ref={theirs} />
      </span>
    </div>
  );
}
