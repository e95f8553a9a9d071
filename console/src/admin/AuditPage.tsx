import { Anchor, Button, Card, Center, Group, Select, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch, IconShieldSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";

import { api } from "../api/client";
import type { AuditLine } from "../api/schema";
import { en } from "../i18n/en";
import { named, useLanguage } from "../i18n";
import { Empty, ErrorNote, Lines } from "../parts/States";
import { Length } from "../parts/Times";
import { exact } from "../parts/time";

const PAGE = 100;
const WHAT = Object.keys(en)
  .filter((key) => key.startsWith("what."))
  .map((key) => key.slice(5));
const ABOUT_CALLS = [
  "listened",
  "whispered",
  "barged",
  "took_over",
  "read_call",
  "played",
  "ended_call",
  "sent_to_bot",
];

export default function AuditPage() {
  const { t } = useLanguage();
  const [who, setWho] = useState("");
  const [what, setWhat] = useState("");
  const [asked] = useDebouncedValue(who.trim(), 250);
  const found = useInfiniteQuery({
    queryKey: ["audit", asked, what],
    queryFn: ({ pageParam, signal }) =>
      api.get<AuditLine[]>("/audit", { limit: PAGE, before: pageParam, who: asked, what }, signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
    placeholderData: (before) => before,
  });
  const lines = found.data?.pages.flat() ?? [];
  return (
    <Stack gap="md">
      <Title order={1}>{t("audit.title")}</Title>
      <Group gap="sm" role="search">
        <TextInput
          w={200}
          leftSection={<IconSearch size={16} />}
          placeholder={t("audit.who")}
          aria-label={t("audit.who")}
          value={who}
          onChange={(event) => setWho(event.currentTarget.value)}
        />
        <Select
          w={260}
          searchable
          aria-label={t("audit.what")}
          allowDeselect={false}
          value={what}
          onChange={(value) => setWhat(value ?? "")}
          data={[
            { value: "", label: t("audit.any") },
            ...WHAT.map((value) => ({ value, label: named(t, "what", value) })),
          ]}
        />
      </Group>
      {found.isError && <ErrorNote error={found.error} onRetry={() => void found.refetch()} />}
      <Card padding={lines.length ? 0 : "md"}>
        {found.isPending ? (
          <Lines count={12} />
        ) : lines.length ? (
          <Rows lines={lines} />
        ) : (
          <Empty icon={<IconShieldSearch size={40} stroke={1.5} />} title={t("audit.none")}>
            {t("audit.none_detail")}
          </Empty>
        )}
      </Card>
      {found.hasNextPage && (
        <Center>
          <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            {t("app.more")}
          </Button>
        </Center>
      )}
    </Stack>
  );
}

function Rows({ lines }: { lines: AuditLine[] }) {
  const { t, language } = useLanguage();
  return (
    <Table.ScrollContainer minWidth={760}>
      <Table verticalSpacing={7} horizontalSpacing="md">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("audit.when")}</Table.Th>
            <Table.Th>{t("audit.who")}</Table.Th>
            <Table.Th>{t("audit.what")}</Table.Th>
            <Table.Th>{t("audit.about")}</Table.Th>
            <Table.Th ta="end">{t("audit.lasted")}</Table.Th>
            <Table.Th>{t("audit.from")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lines.map((line) => (
            <Table.Tr key={line.id}>
              <Table.Td className="tabular nowrap">{exact(line.at, language)}</Table.Td>
              <Table.Td fw={600}>{line.who}</Table.Td>
              <Table.Td>{named(t, "what", line.what)}</Table.Td>
              <Table.Td>
                {line.about && ABOUT_CALLS.includes(line.what) ? (
                  <Anchor component={Link} href={`/calls/${line.about}`}>
                    {line.about}
                  </Anchor>
                ) : (
                  line.about
                )}
              </Table.Td>
              <Table.Td ta="end">{line.duration_s !== null && <Length seconds={line.duration_s} />}</Table.Td>
              <Table.Td>
                <Text size="sm" c="dimmed" className="tabular">
                  {line.address}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
