import { Button, Card, Chip, Group, Kbd, Progress, Stack, Text, Textarea, Title } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useState } from "react";

import type { WrapUp } from "../api/schema";
import { named, useT } from "../i18n";
import { useKeys } from "../parts/keys";
import { clock, phone, secondsUntil, useNow } from "../parts/time";
import { useDesk } from "./desk";
import { newestNotes } from "./useNotes";

/** After a call: how it ended and what matters later, before the next one comes. */
export function WrapUpCard({ wrapUp }: { wrapUp: WrapUp }) {
  const t = useT();
  const { commands } = useDesk();
  const [code, setCode] = useState("");
  const [notes, setNotes] = useState(() => newestNotes(wrapUp.entry, wrapUp.notes));
  const left = secondsUntil(wrapUp.until, useNow());
  const [whole] = useState(Math.max(left, 1));
  const done = () => commands.wrapUp({ code, notes });
  useKeys(Object.fromEntries(wrapUp.codes.slice(0, 9).map((each, at) => [String(at + 1), () => setCode(each)])));

  return (
    <Card padding="lg">
      <Stack gap="lg">
        <div>
          <Group justify="space-between" gap="xs">
            <Title order={2}>{t("desk.wrap_title")}</Title>
            <Text c="dimmed" className="tabular">
              {phone(wrapUp.caller) || t("app.unknown_caller")} · {wrapUp.queue}
            </Text>
          </Group>
          <Group gap="sm" mt="sm" wrap="nowrap">
            <Progress value={(100 * left) / whole} color="var(--vb-violet)" flex={1} size="sm" aria-hidden />
            <Text size="sm" c="dimmed" className="tabular nowrap">
              {clock(Math.ceil(left))} {t("desk.wrap_left")}
            </Text>
          </Group>
        </div>
        {wrapUp.codes.length > 0 && (
          <div>
            <Text fw={600} mb="xs" id="wrap-code">
              {t("desk.wrap_code")}
            </Text>
            <Chip.Group value={code} onChange={(value) => setCode(value)}>
              <Group gap="xs" role="radiogroup" aria-labelledby="wrap-code">
                {wrapUp.codes.map((each, at) => (
                  <Chip key={each} value={each} size="md" variant="outline">
                    <Group gap={8} component="span">
                      {at < 9 && (
                        <Kbd size="xs" aria-hidden>
                          {at + 1}
                        </Kbd>
                      )}
                      {named(t, "wrapup", each)}
                    </Group>
                  </Chip>
                ))}
              </Group>
            </Chip.Group>
          </div>
        )}
        <Textarea
          label={t("desk.notes")}
          placeholder={t("desk.notes_placeholder")}
          autosize
          minRows={4}
          maxRows={10}
          maxLength={10_000}
          value={notes}
          onChange={(event) => setNotes(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && (code || !wrapUp.codes.length)) done();
          }}
        />
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {t("desk.wrap_hint")}
          </Text>
          <Button
            size="md"
            leftSection={<IconCheck size={18} />}
            disabled={!code && wrapUp.codes.length > 0}
            onClick={done}
            data-testid="wrap-up-done"
          >
            {t("desk.wrap_done")}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}
