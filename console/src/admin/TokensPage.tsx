import {
  Alert, Button, Card, Checkbox, Code, CopyButton, Group, Modal, SegmentedControl, Stack, Table, Text, TextInput, Title,
} from "@mantine/core"; // prettier-ignore
import { useDisclosure } from "@mantine/hooks";
import { IconCheck, IconCopy, IconKey, IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, part } from "../api/client";
import type { IssuedToken, NewToken, Token } from "../api/schema";
import { useT } from "../i18n";
import { Confirm } from "../parts/Confirm";
import { Tag } from "../parts/Meaning";
import { Empty, ErrorNote, Lines, useCommand } from "../parts/States";
import { Moment } from "../parts/Times";

const KEY = ["tokens"];
const SCOPES: Token["scopes"] = ["agent", "supervisor", "operator", "administrator"];

export default function TokensPage() {
  const t = useT();
  const found = useQuery({ queryKey: KEY, queryFn: () => api.get<Token[]>("/tokens") });
  const [adding, dialog] = useDisclosure();
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <div>
          <Title order={1}>{t("tokens.title")}</Title>
          <Text c="dimmed">{t("tokens.lead")}</Text>
        </div>
        <Button leftSection={<IconPlus size={18} />} onClick={dialog.open}>
          {t("tokens.add")}
        </Button>
      </Group>
      {found.isError && <ErrorNote error={found.error} onRetry={() => void found.refetch()} />}
      <Card padding={found.data?.length ? 0 : "md"}>
        {found.isPending ? (
          <Lines count={4} />
        ) : found.data?.length ? (
          <Rows tokens={found.data} />
        ) : (
          <Empty icon={<IconKey size={40} stroke={1.5} />} title={t("tokens.none")}>
            {t("tokens.none_detail")}
          </Empty>
        )}
      </Card>
      <Modal opened={adding} onClose={dialog.close} title={t("tokens.add")} closeOnClickOutside={false}>
        <IssueForm onDone={dialog.close} />
      </Modal>
    </Stack>
  );
}

function Rows({ tokens }: { tokens: Token[] }) {
  const t = useT();
  const client = useQueryClient();
  const [revoked, setRevoked] = useState<Token | null>(null);
  const revoke = useCommand(
    (id: string) => api.delete(`/tokens/${part(id)}`),
    () => void client.invalidateQueries({ queryKey: KEY }),
  );
  return (
    <Table.ScrollContainer minWidth={760}>
      <Table verticalSpacing="sm" horizontalSpacing="md">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("tokens.name")}</Table.Th>
            <Table.Th>{t("users.roles")}</Table.Th>
            <Table.Th>{t("tokens.by")}</Table.Th>
            <Table.Th>{t("tokens.used")}</Table.Th>
            <Table.Th>{t("tokens.ends")}</Table.Th>
            <Table.Th aria-label={t("tokens.revoke")} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tokens.map((token) => (
            <Table.Tr key={token.id}>
              <Table.Td fw={600}>{token.name}</Table.Td>
              <Table.Td>
                <Group gap={6}>
                  {token.scopes.map((scope) => (
                    <Tag key={scope} colour="grey">
                      {t(`role.${scope}`)}
                    </Tag>
                  ))}
                </Group>
              </Table.Td>
              <Table.Td>
                <Moment at={token.created_at} />
                <Text size="sm" c="dimmed">
                  {t("tokens.by_whom", { name: token.created_by })}
                </Text>
              </Table.Td>
              <Table.Td>{token.used_at ? <Moment at={token.used_at} /> : t("tokens.never_used")}</Table.Td>
              <Table.Td>{token.expires_at ? <Moment at={token.expires_at} /> : t("tokens.no_end")}</Table.Td>
              <Table.Td ta="end">
                <Button size="xs" variant="default" onClick={() => setRevoked(token)}>
                  {t("tokens.revoke")}
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Confirm
        opened={revoked !== null}
        onClose={() => setRevoked(null)}
        onYes={() => revoked && revoke.mutate(revoked.id)}
        text={t("tokens.revoke_sure", { name: revoked?.name ?? "" })}
        yes={t("tokens.revoke")}
      />
    </Table.ScrollContainer>
  );
}

function IssueForm({ onDone }: { onDone: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Token["scopes"]>([]);
  const [days, setDays] = useState("365");
  const issue = useCommand(
    (body: NewToken) => api.post<IssuedToken>("/tokens", body),
    () => void client.invalidateQueries({ queryKey: KEY }),
  );
  if (issue.data) return <Secret secret={issue.data.secret} onDone={onDone} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        issue.mutate({ name, scopes, days: days ? Number(days) : null });
      }}
    >
      <Stack>
        <TextInput
          label={t("tokens.name")}
          description={t("tokens.name_hint")}
          data-autofocus
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Checkbox.Group
          label={t("tokens.scopes")}
          value={scopes}
          onChange={(chosen) => setScopes(SCOPES.filter((scope) => chosen.includes(scope)))}
        >
          <Group mt={6} gap="md">
            {SCOPES.map((scope) => (
              <Checkbox key={scope} value={scope} label={t(`role.${scope}`)} />
            ))}
          </Group>
        </Checkbox.Group>
        <div>
          <Text size="sm" fw={500} mb={4}>
            {t("tokens.days")}
          </Text>
          <SegmentedControl
            fullWidth
            aria-label={t("tokens.days")}
            value={days}
            onChange={setDays}
            data={[
              { value: "30", label: t("tokens.days_30") },
              { value: "365", label: t("tokens.days_365") },
              { value: "", label: t("tokens.days_never") },
            ]}
          />
        </div>
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t("app.cancel")}
          </Button>
          <Button type="submit" disabled={!name || !scopes.length} loading={issue.isPending}>
            {t("tokens.issue")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Secret({ secret, onDone }: { secret: string; onDone: () => void }) {
  const t = useT();
  return (
    <Stack>
      <Alert color="orange" title={t("tokens.shown_once")} icon={<IconKey />} />
      <Code block style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
        {secret}
      </Code>
      <Group justify="space-between">
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button
              leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
              onClick={copy}
              data-autofocus
            >
              {t(copied ? "app.copied" : "app.copy")}
            </Button>
          )}
        </CopyButton>
        <Button variant="default" onClick={onDone}>
          {t("tokens.done")}
        </Button>
      </Group>
    </Stack>
  );
}
