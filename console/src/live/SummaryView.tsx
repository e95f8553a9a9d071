import { Anchor, Group, Stack, Text, Tooltip } from "@mantine/core";
import { IconEyeOff, IconExternalLink } from "@tabler/icons-react";
import type { ReactNode } from "react";

import type { Collected, EarlierCall, Summary } from "../api/schema";
import { named, useLanguage, useT } from "../i18n";
import { MoodTag, OutcomeTag, Tag } from "../parts/Meaning";
import { Moment } from "../parts/Times";
import { percent } from "../parts/time";
import classes from "./SummaryView.module.css";

interface SummaryProps {
  summary: Summary;
  withWhy?: boolean;
  withSlots?: boolean;
}

/** What the bot learned. Why they call and what was collected may stand elsewhere on the page. */
export function SummaryView({ summary, withWhy = true, withSlots = true }: SummaryProps) {
  const t = useT();
  return (
    <Stack gap="md">
      {withWhy && (
        <Field label={t("desk.why")}>
          <Text fw={600} className="words">
            {summary.why || t("desk.why_unknown")}
          </Text>
        </Field>
      )}
      {summary.next_step && (
        <div className={classes.next}>
          <Text size="xs" fw={600}>
            {t("desk.next_step")}
          </Text>
          <Text className="words">{summary.next_step}</Text>
        </div>
      )}
      {withSlots && (
        <Field label={t("desk.collected")}>
          <Slots slots={summary.collected} />
        </Field>
      )}
      <div className={classes.pair}>
        <Field label={t("desk.stopped")}>
          <Text className="words">{summary.why_stopped || named(t, "handoff", summary.reason)}</Text>
        </Field>
        <Field label={t("desk.mood")}>
          <Group gap={8}>
            <MoodTag mood={summary.mood} />
            {summary.mood_words.length > 0 && (
              <Text size="sm" c="dimmed" className="words">
                {t("desk.mood_words", { words: summary.mood_words.map((words) => `„${words}”`).join(", ") })}
              </Text>
            )}
          </Group>
        </Field>
      </div>
      <Field label={t("desk.tried")}>
        {summary.tried.length ? (
          <ul className={classes.list}>
            {summary.tried.map((line, at) => (
              <li key={at} className="words">
                {line}
              </li>
            ))}
          </ul>
        ) : (
          <Text c="dimmed">{t("desk.tried_none")}</Text>
        )}
      </Field>
      {summary.told && (
        <Field label={t("desk.told")}>
          <Text className="words">{summary.told}</Text>
        </Field>
      )}
    </Stack>
  );
}

export function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <Text size="xs" fw={600} c="dimmed" mb={2}>
        {label}
      </Text>
      {children}
    </div>
  );
}

const UNSURE = 0.7;

export function Slots({ slots }: { slots: Collected[] }) {
  const { t, language } = useLanguage();
  if (!slots.length) return <Text c="dimmed">{t("desk.collected_none")}</Text>;
  return (
    <dl className={classes.slots}>
      {slots.map((slot) => (
        <div key={slot.name}>
          <dt>{slot.label || slot.name}</dt>
          <dd>
            {slot.masked ? (
              <Tag colour="grey" icon={IconEyeOff}>
                {t("desk.masked")}
              </Tag>
            ) : (
              <span className="tabular words">{slot.value}</span>
            )}
            {slot.certainty !== null && (
              <Tooltip label={t("desk.certainty", { share: percent(slot.certainty, language) })}>
                <span className={classes.certainty} data-unsure={slot.certainty < UNSURE || undefined}>
                  <span className={classes.bar} aria-hidden>
                    <span style={{ width: `${slot.certainty * 100}%` }} />
                  </span>
                  <span className="tabular">{percent(slot.certainty, language)}</span>
                </span>
              </Tooltip>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function EarlierCalls({ earlier }: { earlier: EarlierCall[] }) {
  const t = useT();
  if (!earlier.length) return <Text c="dimmed">{t("desk.earlier_none")}</Text>;
  return (
    <Stack gap="sm" component="ul" className={classes.plain}>
      {earlier.map((call) => (
        <li key={call.id}>
          <Group gap={8} justify="space-between">
            <Text size="sm" c="dimmed">
              <Moment at={call.started_at} />
            </Text>
            <OutcomeTag outcome={call.outcome} />
          </Group>
          <Text className="words">{call.why || t("desk.why_unknown")}</Text>
          {(call.agent || call.notes) && (
            <Text size="sm" c="dimmed" className="words">
              {[call.agent, call.notes].filter(Boolean).join(": ")}
            </Text>
          )}
        </li>
      ))}
    </Stack>
  );
}

export function CrmLink({ url }: { url: string }) {
  const t = useT();
  return /^https?:\/\//.test(url) ? (
    <Anchor href={url} target="_blank" rel="noreferrer noopener" size="sm" className="nowrap">
      {t("desk.crm")} <IconExternalLink size={14} style={{ verticalAlign: "-2px" }} aria-hidden />
    </Anchor>
  ) : null;
}
