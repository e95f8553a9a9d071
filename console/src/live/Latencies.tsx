import { Group, Text, Title, Tooltip } from "@mantine/core";
import { IconStopwatch } from "@tabler/icons-react";

import type { TurnLatency } from "../api/schema";
import { named, useT } from "../i18n";
import { Empty } from "../parts/States";
import { clock } from "../parts/time";
import classes from "./Latencies.module.css";

const SHOWN = 24;
const SCALE_MS = 800; // the target of the 95th percentile: a bar that reaches the end is slow
const TONES = ["grey", "blue", "violet", "green", "amber", "red"];

/** From the caller's last word to the bot's first: one bar a turn, its stages one after the other. */
export function Latencies({ latencies }: { latencies: TurnLatency[] }) {
  const t = useT();
  const shown = latencies.slice(-SHOWN);
  const stages = [...new Set(shown.flatMap((turn) => Object.keys(turn.stages)))];
  const tone = (stage: string) => TONES[stages.indexOf(stage) % TONES.length];
  return (
    <>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{t("live.latency")}</Title>
        {shown.length > 0 && (
          <Text size="sm" c="dimmed" className="tabular">
            {t("live.latency_median", { ms: Math.round(median(latencies.map((turn) => turn.total_ms))) })}
          </Text>
        )}
      </Group>
      {!shown.length && <Empty icon={<IconStopwatch size={32} stroke={1.5} />} title={t("live.latency_none")} />}
      <ol className={classes.list}>
        {shown.map((turn) => {
          const detail = Object.entries(turn.stages)
            .map(([stage, ms]) => `${named(t, "stage", stage)} ${Math.round(ms)}`)
            .join(", ");
          const label = t("live.latency_turn", {
            at: clock(turn.at_s),
            total: Math.round(turn.total_ms),
            stages: detail,
          });
          return (
            <Tooltip key={turn.at_s} label={label}>
              <li className={classes.turn}>
                <span className="hidden">{label}</span>
                <span className={classes.time} aria-hidden>
                  {clock(turn.at_s)}
                </span>
                <span className={classes.bar} aria-hidden>
                  {Object.entries(turn.stages).map(([stage, ms]) => (
                    <span
                      key={stage}
                      data-tone={tone(stage)}
                      style={{ width: `${(100 * ms) / Math.max(SCALE_MS, turn.total_ms)}%` }}
                    />
                  ))}
                </span>
                <span className={classes.total} data-slow={turn.total_ms > SCALE_MS || undefined} aria-hidden>
                  {Math.round(turn.total_ms)} ms
                </span>
              </li>
            </Tooltip>
          );
        })}
      </ol>
      <Group gap="sm" mt={shown.length ? "xs" : 0} aria-hidden>
        {stages.map((stage) => (
          <span key={stage} className={classes.legend}>
            <span data-tone={tone(stage)} /> {named(t, "stage", stage)}
          </span>
        ))}
      </Group>
    </>
  );
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
