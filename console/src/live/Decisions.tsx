import { ScrollArea, Text, Title } from "@mantine/core";
import { IconGitBranch } from "@tabler/icons-react";

import type { Decision } from "../api/schema";
import { named, useLanguage } from "../i18n";
import { Empty } from "../parts/States";
import { clock, percent } from "../parts/time";
import classes from "./Decisions.module.css";

const UNSURE = 0.6;

/** Why the dialog went on as it did, newest first. */
export function Decisions({ decisions }: { decisions: Decision[] }) {
  const { t, language } = useLanguage();
  return (
    <>
      <Title order={2} mb="xs">
        {t("live.decisions")}
      </Title>
      {!decisions.length && <Empty icon={<IconGitBranch size={32} stroke={1.5} />} title={t("live.decisions_none")} />}
      <ScrollArea.Autosize mah={460} viewportProps={{ tabIndex: 0, "aria-label": t("live.decisions") }}>
        <ol className={classes.list}>
          {[...decisions].reverse().map((decision, at) => (
            <li key={decisions.length - at} className={classes.decision}>
              <Text size="xs" c="dimmed" className="tabular" mt={2}>
                {clock(decision.at_s)}
              </Text>
              <div>
                <Text size="sm" fw={600}>
                  {named(t, "decision", decision.kind)}
                </Text>
                <Text size="sm" c="dimmed" className="words">
                  {decision.why || brief(decision.data)}
                </Text>
              </div>
              {decision.certainty !== null && (
                <Text
                  size="xs"
                  fw={600}
                  className="tabular"
                  c={decision.certainty < UNSURE ? "var(--vb-amber)" : "dimmed"}
                  title={t("desk.certainty", { share: percent(decision.certainty, language) })}
                >
                  {percent(decision.certainty, language)}
                </Text>
              )}
            </li>
          ))}
        </ol>
      </ScrollArea.Autosize>
    </>
  );
}

/** The record's own words where nobody wrote a sentence: `slot: order_number, value: 481207`. */
function brief(data: Record<string, unknown>): string {
  return Object.entries(data)
    .filter(([, value]) => value !== null && value !== "")
    .map(
      ([name, value]) =>
        `${name.replaceAll("_", " ")}: ${typeof value === "object" ? JSON.stringify(value) : String(value as number | boolean)}`,
    )
    .join(", ");
}
