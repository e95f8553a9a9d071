import { Anchor, Button, Card, Group, Modal, Stack, Table, Text, Textarea } from "@mantine/core";
import { IconPhoneCall, IconPhoneCheck, IconPhoneX } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";

import { api, part } from "../api/client";
import type { Callback, CallbackDone } from "../api/schema";
import { stream } from "../api/stream";
import { named, useT } from "../i18n";
import { type Colour, Tag } from "../parts/Meaning";
import { Empty, ErrorNote, Lines, useCommand } from "../parts/States";
import { Moment } from "../parts/Times";
import { phone } from "../parts/time";

const KEY = ["callbacks"];
const COLOURS: Record<Callback["state"], Colour> = {
  waiting: "amber",
  offered: "violet",
  calling: "blue",
  reached: "green",
  gave_up: "grey",
};

/** Callers who are to be called back, in their order. `limit`: only the first ones. */
export function CallbackTable({ withDone = false, limit }: { withDone?: boolean; limit?: number }) {
  const t = useT();
  const client = useQueryClient();
  const [closing, setClosing] = useState<Callback | null>(null);
  const found = useQuery({ queryKey: KEY, queryFn: () => api.get<Callback[]>("/callbacks"), refetchInterval: 15_000 });
  const again = () => void client.invalidateQueries({ queryKey: KEY });
  useEffect(() => stream.on("agent", () => void client.invalidateQueries({ queryKey: KEY })), [client]);
  const take = useCommand((id: string) => api.post(`/callbacks/${part(id)}/take`), again);

  const open = (callback: Callback) => callback.state !== "reached" && callback.state !== "gave_up";
  const shown = (found.data ?? []).filter((callback) => withDone || open(callback)).slice(0, limit);
  if (found.isError) return <ErrorNote error={found.error} onRetry={() => void found.refetch()} />;
  if (found.isPending)
    return (
      <Card>
        <Lines count={6} />
      </Card>
    );
  if (!shown.length)
    return (
      <Card>
        <Empty icon={<IconPhoneCheck size={40} stroke={1.5} />} title={t("callbacks.none")}>
          {t("callbacks.none_detail")}
        </Empty>
      </Card>
    );
  return (
    <Card padding={0}>
      <Table.ScrollContainer minWidth={620}>
        <Table verticalSpacing="sm" horizontalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("callbacks.number")}</Table.Th>
              <Table.Th>{t("callbacks.about")}</Table.Th>
              <Table.Th>{t("callbacks.promised")}</Table.Th>
              <Table.Th>{t("callbacks.tries")}</Table.Th>
              <Table.Th aria-label={t("desk.change_state")} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((callback) => (
              <Row
                key={callback.id}
                callback={callback}
                busy={take.isPending && take.variables === callback.id}
                onTake={() => take.mutate(callback.id)}
                onClose={open(callback) ? () => setClosing(callback) : undefined}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Modal opened={closing !== null} onClose={() => setClosing(null)} title={t("callbacks.done_title")}>
        {closing && (
          <CloseForm
            callback={closing}
            onDone={() => {
              setClosing(null);
              again();
            }}
          />
        )}
      </Modal>
    </Card>
  );
}

interface RowProps {
  callback: Callback;
  busy: boolean;
  onTake: () => void;
  onClose: (() => void) | undefined;
}

function Row({ callback, busy, onTake, onClose }: RowProps) {
  const t = useT();
  const key = callback.state === "reached" || callback.state === "gave_up" ? `state_${callback.state}` : callback.state;
  return (
    <Table.Tr>
      <Table.Td>
        <Text fw={600} className="tabular nowrap">
          {phone(callback.number)}
        </Text>
        <Text size="sm" c="dimmed">
          {callback.queue}
        </Text>
      </Table.Td>
      <Table.Td miw={130}>
        <Text className="words">{callback.summary?.why || named(t, "handoff", callback.reason)}</Text>
        {callback.call_id && (
          <Anchor component={Link} href={`/calls/${callback.call_id}`} size="sm">
            {t("alerts.show_call")}
          </Anchor>
        )}
      </Table.Td>
      <Table.Td>
        <Moment at={callback.promised_at} />
      </Table.Td>
      <Table.Td>
        <Group gap={8}>
          <Tag colour={COLOURS[callback.state]}>{named(t, "callbacks", key)}</Tag>
          <Text size="sm" c="dimmed" className="tabular">
            {callback.tries}/3
            {callback.agent && ` · ${callback.agent}`}
          </Text>
        </Group>
        {callback.next_at && (
          <Text size="sm" c="dimmed">
            {t("callbacks.next", { time: "" })}
            <Moment at={callback.next_at} />
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Group gap="xs" justify="flex-end">
          {callback.state === "waiting" && (
            <Button size="xs" leftSection={<IconPhoneCall size={15} />} loading={busy} onClick={onTake}>
              {t("callbacks.take")}
            </Button>
          )}
          {onClose && (
            <Button size="xs" variant="default" onClick={onClose}>
              {t("callbacks.done_title")}
            </Button>
          )}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

function CloseForm({ callback, onDone }: { callback: Callback; onDone: () => void }) {
  const t = useT();
  const [notes, setNotes] = useState("");
  const close = useCommand((body: CallbackDone) => api.post(`/callbacks/${part(callback.id)}/done`, body), onDone);
  return (
    <Stack>
      <Text fw={600} className="tabular">
        {phone(callback.number)}
      </Text>
      <Textarea
        label={t("desk.notes")}
        data-autofocus
        rows={3}
        maxLength={10_000}
        value={notes}
        onChange={(event) => setNotes(event.currentTarget.value)}
      />
      <Group justify="flex-end">
        <Button
          variant="default"
          leftSection={<IconPhoneX size={16} />}
          onClick={() => close.mutate({ outcome: "gave_up", notes })}
        >
          {t("callbacks.gave_up")}
        </Button>
        <Button leftSection={<IconPhoneCheck size={16} />} onClick={() => close.mutate({ outcome: "reached", notes })}>
          {t("callbacks.reached")}
        </Button>
      </Group>
    </Stack>
  );
}
