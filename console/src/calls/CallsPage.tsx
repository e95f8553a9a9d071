import { Button, Card, Center, Group, Select, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFilterOff, IconHistory, IconMicrophone, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";

import { api } from "../api/client";
import type { PastCallLine, PastCalls } from "../api/schema";
import { named, useT } from "../i18n";
import { AlertTag, MoodTag, OutcomeTag } from "../parts/Meaning";
import { Empty, ErrorNote, Lines } from "../parts/States";
import { Length, Moment } from "../parts/Times";
import { phone } from "../parts/time";
import classes from "./CallsPage.module.css";

const PAGE = 50;
const OUTCOMES = ["contained", "handed_off", "callback_promised", "abandoned", "failed", "lost"];

const ALERTS = [
  "angry",
  "loop",
  "silence",
  "keyword",
  "wait",
  "unheard",
  "agent_unheard",
  "recognition",
  "language_model",
];

interface Filter {
  outcome: string;
  alert: string;
  caller: string;
  text: string;
}

const NOTHING: Filter = { outcome: "", alert: "", caller: "", text: "" };

export default function CallsPage() {
  const t = useT();
  const [filter, setFilter] = useState(NOTHING);
  const [asked] = useDebouncedValue(filter, 250);
  const found = useInfiniteQuery({
    queryKey: ["calls", asked],
    queryFn: ({ pageParam, signal }) =>
      api.get<PastCalls>("/calls", { ...asked, limit: PAGE, before: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.more ?? undefined,
    placeholderData: (before) => before,
  });
  const calls = found.data?.pages.flatMap((page) => page.calls) ?? [];
  const filtered = Object.values(asked).some((wanted) => wanted !== "");

  return (
    <Stack gap="md">
      <Title order={1}>{t("calls.title")}</Title>
      <Filters filter={filter} onChange={setFilter} />
      {found.isError && <ErrorNote error={found.error} onRetry={() => void found.refetch()} />}
      <Card padding={calls.length ? 0 : "md"}>
        {found.isPending ? (
          <Lines count={12} height={24} />
        ) : calls.length ? (
          <CallRows calls={calls} />
        ) : (
          <Nothing filtered={filtered} onClear={() => setFilter(NOTHING)} />
        )}
      </Card>
      {calls.length > 0 && (
        <Center>
          {found.hasNextPage ? (
            <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
              {t("app.more")}
            </Button>
          ) : (
            <Text size="sm" c="dimmed">
              {t("calls.end")}
            </Text>
          )}
        </Center>
      )}
    </Stack>
  );
}

function Filters({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const t = useT();
  const set = (name: keyof Filter) => (event: React.ChangeEvent<HTMLInputElement>) =>
    onChange({ ...filter, [name]: event.currentTarget.value });
  return (
    <Group gap="sm" role="search">
      <TextInput
        w={200}
        leftSection={<IconSearch size={16} />}
        placeholder={t("calls.search_caller")}
        aria-label={t("calls.search_caller")}
        inputMode="tel"
        value={filter.caller}
        onChange={set("caller")}
      />
      <TextInput
        w={240}
        leftSection={<IconSearch size={16} />}
        placeholder={t("calls.search_text")}
        aria-label={t("calls.search_text")}
        value={filter.text}
        onChange={set("text")}
      />
      <Select
        w={220}
        aria-label={t("calls.outcome")}
        allowDeselect={false}
        value={filter.outcome}
        onChange={(outcome) => onChange({ ...filter, outcome: outcome ?? "" })}
        data={[
          { value: "", label: t("calls.any_outcome") },
          ...OUTCOMES.map((outcome) => ({ value: outcome, label: named(t, "outcome", outcome) })),
        ]}
      />
      <Select
        w={220}
        aria-label={t("calls.alerts")}
        allowDeselect={false}
        value={filter.alert}
        onChange={(alert) => onChange({ ...filter, alert: alert ?? "" })}
        data={[
          { value: "", label: t("calls.alerts_or_none") },
          { value: "any", label: t("calls.any_alert") },
          ...ALERTS.map((kind) => ({ value: kind, label: named(t, "alert", kind) })),
        ]}
      />
    </Group>
  );
}

function Nothing({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  const t = useT();
  if (!filtered)
    return (
      <Empty icon={<IconHistory size={40} stroke={1.5} />} title={t("calls.none")}>
        {t("calls.none_detail")}
      </Empty>
    );
  return (
    <Empty icon={<IconFilterOff size={40} stroke={1.5} />} title={t("calls.no_match")}>
      <Stack gap="sm" align="center">
        {t("calls.no_match_detail")}
        <Button variant="default" size="xs" onClick={onClear}>
          {t("calls.clear")}
        </Button>
      </Stack>
    </Empty>
  );
}

function CallRows({ calls }: { calls: PastCallLine[] }) {
  const t = useT();
  const [, go] = useLocation();
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table layout="fixed" verticalSpacing={9} horizontalSpacing="xs" highlightOnHover className={classes.table ?? ""}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={86}>{t("calls.when")}</Table.Th>
            <Table.Th w={148}>{t("calls.caller")}</Table.Th>
            <Table.Th>{t("calls.about")}</Table.Th>
            <Table.Th w={180}>{t("calls.outcome")}</Table.Th>
            <Table.Th w="18%">{t("calls.mood_alerts")}</Table.Th>
            <Table.Th w={74} ta="end">
              {t("calls.length")}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {calls.map((call) => (
            <Table.Tr key={call.id} onClick={() => go(`/calls/${call.id}`)}>
              <Table.Td>
                <Moment at={call.started_at} />
              </Table.Td>
              <Table.Td>
                <Link
                  href={`/calls/${call.id}`}
                  className={`${classes.caller ?? ""} tabular nowrap`}
                  onClick={(event) => event.stopPropagation()}
                >
                  {phone(call.caller) || t("app.unknown_caller")}
                </Link>
              </Table.Td>
              <Table.Td>
                <Text lineClamp={2} title={call.why}>
                  {call.why || (call.bot ? "–" : t("calls.called_back"))}
                </Text>
                <Text size="xs" c="dimmed" className="clip">
                  {[call.bot, call.language.toUpperCase(), call.queue].filter(Boolean).join(" · ")}
                </Text>
              </Table.Td>
              <Table.Td>
                <OutcomeTag outcome={call.outcome} />
                {call.agent && (
                  <Text size="xs" c="dimmed" mt={2}>
                    {call.agent}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Group gap={4}>
                  {call.mood !== "neutral" && <MoodTag mood={call.mood} />}
                  {call.alerts
                    .filter((kind) => kind !== call.mood) // that the caller was angry is said already
                    .map((kind) => (
                      <AlertTag key={kind} kind={kind} />
                    ))}
                  {call.mood === "neutral" && !call.alerts.length && (
                    <Text size="sm" c="dimmed">
                      {t("mood.neutral")}
                    </Text>
                  )}
                </Group>
              </Table.Td>
              <Table.Td ta="end">
                <Group gap={6} justify="flex-end" wrap="nowrap">
                  {call.recorded && (
                    <IconMicrophone size={15} color="var(--mantine-color-dimmed)" aria-label={t("calls.recorded")} />
                  )}
                  <Length seconds={call.duration_s} />
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
