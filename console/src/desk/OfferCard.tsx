import { Button, Card, Group, Kbd, RingProgress, Stack, Text } from "@mantine/core";
import { IconPhone, IconPhoneIncoming, IconPhoneX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import type { Offer } from "../api/schema";
import { line } from "../audio/line";
import { named, useT } from "../i18n";
import { CrmLink, EarlierCalls, Field, SummaryView } from "../live/SummaryView";
import { useKeys } from "../parts/keys";
import { clock, phone, secondsUntil, useNow } from "../parts/time";
import { useDesk } from "./desk";
import classes from "./OfferCard.module.css";

/** A caller who waits for an answer, and all that is known before giving one. */
export function OfferCard({ offer }: { offer: Offer }) {
  const t = useT();
  const { commands } = useDesk();
  const [answered, setAnswered] = useState(false);
  const caller = phone(offer.caller) || t("app.unknown_caller");
  const title =
    offer.kind === "consult" ? t("desk.offer_consult", { name: offer.asked_by }) : t(`desk.offer_${offer.kind}`);
  const answer = (accepted: boolean) => () => {
    if (answered) return;
    setAnswered(true);
    void line.unlock();
    (accepted ? commands.accept : commands.decline)(offer.entry);
    setTimeout(() => setAnswered(false), 3000); // should the server refuse, it can be tried again
  };
  useKeys({ Enter: answer(true), Backspace: answer(false) });
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // From a button, whose Enter would be its own; never out of a field in which somebody types.
    if (!document.activeElement?.matches("input, textarea, select")) card.current?.focus({ preventScroll: true });
    card.current?.scrollIntoView({ block: "start" });
  }, []);

  return (
    <Card padding={0} className={classes.card} role="region" aria-label={title} ref={card} tabIndex={-1}>
      <div className={classes.head}>
        <span className={classes.sign}>
          <IconPhoneIncoming size={30} stroke={1.8} aria-hidden />
        </span>
        <div className={classes.who} role="alert">
          <Text size="sm" fw={600} c="var(--vb-violet)">
            {title}
          </Text>
          <Text className={classes.caller} component="p">
            {caller}
          </Text>
          <Text className="words">{offer.summary.why || t("desk.why_unknown")}</Text>
          <Text size="sm" c="dimmed">
            {[offer.queue, named(t, "lang", offer.language), t("desk.waited", { time: clock(offer.waited_s) })].join(
              " · ",
            )}
          </Text>
        </div>
        <Countdown until={offer.until} />
      </div>
      <div className={classes.actions}>
        <Button
          size="lg"
          color="green.8"
          leftSection={<IconPhone size={20} />}
          rightSection={
            <Kbd size="xs" aria-hidden>
              ↵
            </Kbd>
          }
          loading={answered}
          onClick={answer(true)}
          data-testid="accept"
        >
          {t("desk.accept")}
        </Button>
        <Button
          size="lg"
          variant="default"
          leftSection={<IconPhoneX size={20} />}
          rightSection={
            <Kbd size="xs" aria-hidden>
              ⌫
            </Kbd>
          }
          disabled={answered}
          onClick={answer(false)}
          data-testid="decline"
        >
          {t("desk.decline")}
        </Button>
        <CrmLink url={offer.crm_url} />
      </div>
      <div className={classes.body}>
        <SummaryView summary={offer.summary} withWhy={false} />
        <Stack gap="md">
          {offer.summary.last_turns.length > 0 && (
            <Field label={t("desk.last_words")}>
              <ul className={classes.turns}>
                {offer.summary.last_turns.slice(-4).map((turn, at) => (
                  <li key={at}>
                    <b>{t(`who.${turn.who}`)}:</b> <span className="words">{turn.text}</span>
                  </li>
                ))}
              </ul>
            </Field>
          )}
          <Field label={t("desk.earlier")}>
            <EarlierCalls earlier={offer.earlier} />
          </Field>
        </Stack>
      </div>
    </Card>
  );
}

function Countdown({ until }: { until: string }) {
  const t = useT();
  const left = secondsUntil(until, useNow());
  const [whole] = useState(Math.max(left, 1));
  return (
    <Group gap={6} wrap="nowrap" className={classes.countdown ?? ""}>
      <RingProgress
        size={76}
        thickness={6}
        roundCaps
        rootColor="var(--vb-violet-soft)"
        sections={[{ value: (100 * left) / whole, color: left < 6 ? "var(--vb-red)" : "var(--vb-violet)" }]}
        label={
          <Text ta="center" fw={700} className="tabular" aria-label={t("desk.answer_within")}>
            {Math.ceil(left)}
          </Text>
        }
      />
    </Group>
  );
}
