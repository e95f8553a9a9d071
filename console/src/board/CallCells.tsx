import { Tooltip } from "@mantine/core";
import { IconEar } from "@tabler/icons-react";

import type { BoardCall } from "../api/schema";
import { useT } from "../i18n";
import { AlertTag, MoodTag, PhaseTag } from "../parts/Meaning";
import { Since } from "../parts/Times";
import { phone } from "../parts/time";
import classes from "./CallsTable.module.css";

export function CallerCell({ call }: { call: BoardCall }) {
  const t = useT();
  return (
    <span className={classes.two}>
      <span className="clip tabular" style={{ fontWeight: 600 }}>
        {phone(call.caller) || t("app.unknown_caller")}
      </span>
      <span className={`${classes.small ?? ""} clip`}>
        {call.bot} · {call.language.toUpperCase()}
      </span>
    </span>
  );
}

export function PhaseCell({ call, agent }: { call: BoardCall; agent: string }) {
  const t = useT();
  const where =
    agent || (call.position === null ? call.queue : `${t("board.position", { n: call.position })}, ${call.queue}`);
  return (
    <span className={classes.two}>
      <span>
        <PhaseTag phase={call.phase} />
        {call.listeners > 0 && (
          <Tooltip label={t("board.listeners", { n: call.listeners })}>
            <IconEar
              size={15}
              style={{ marginInlineStart: 6, verticalAlign: "-3px" }}
              aria-label={t("board.listeners", { n: call.listeners })}
            />
          </Tooltip>
        )}
      </span>
      <span className={`${classes.small ?? ""} clip`}>
        <Since at={call.phase_since} />
        {where && ` · ${where}`}
      </span>
    </span>
  );
}

export function FlowCell({ call }: { call: BoardCall }) {
  return (
    <span className={classes.two}>
      <span className="clip">{call.flow.replaceAll("_", " ") || "–"}</span>
      <span className={`${classes.small ?? ""} clip`}>{call.step}</span>
    </span>
  );
}

/** Mood and open alerts. Calm callers are the rule: only the others stand out. */
export function TroubleCell({ call }: { call: BoardCall }) {
  const t = useT();
  const [first, ...others] = call.alerts;
  return (
    <span className={classes.tags}>
      {(call.mood !== "neutral" || !first) &&
        (call.mood === "neutral" ? (
          <span className={classes.small}>{t("mood.neutral")}</span>
        ) : (
          <MoodTag mood={call.mood} />
        ))}
      {first && (
        <span className={classes.alerts}>
          <AlertTag kind={first} />
          {others.length > 0 && <span className={classes.small}>+{others.length}</span>}
        </span>
      )}
    </span>
  );
}

export function WordsCell({ words }: { words: string }) {
  return (
    <span className={`${classes.small ?? ""} clip`} style={{ display: "block" }} title={words}>
      {words}
    </span>
  );
}
