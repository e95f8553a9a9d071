import { Button, Card, Drawer, Group, Stack, Table, Text, TextInput, Title, UnstyledButton } from "@mantine/core";
import { IconPlus, IconSearch, IconUserOff, IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api } from "../api/client";
import type { User } from "../api/schema";
import { useT } from "../i18n";
import { Tag } from "../parts/Meaning";
import { Empty, ErrorNote, Lines } from "../parts/States";
import { Moment } from "../parts/Times";
import { UserForm } from "./UserForm";
import classes from "./UsersPage.module.css";

export const USERS = ["users"];

export default function UsersPage() {
  const t = useT();
  const found = useQuery({ queryKey: USERS, queryFn: () => api.get<User[]>("/users") });
  const [filter, setFilter] = useState("");
  const [edited, setEdited] = useState<User | "new" | null>(null);
  const wanted = filter.trim().toLowerCase();
  const shown = (found.data ?? []).filter((user) => `${user.name} ${user.login}`.toLowerCase().includes(wanted));
  const close = () => setEdited(null);
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>{t("users.title")}</Title>
        <Group gap="sm">
          <TextInput
            leftSection={<IconSearch size={16} />}
            placeholder={t("users.filter")}
            aria-label={t("users.filter")}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <Button leftSection={<IconPlus size={18} />} onClick={() => setEdited("new")}>
            {t("users.add")}
          </Button>
        </Group>
      </Group>
      {found.isError && <ErrorNote error={found.error} onRetry={() => void found.refetch()} />}
      <Card padding={shown.length ? 0 : "md"}>
        {found.isPending ? (
          <Lines count={8} />
        ) : shown.length ? (
          <Rows users={shown} onEdit={setEdited} />
        ) : (
          <Empty icon={<IconUsers size={40} stroke={1.5} />} title={t("users.none")} />
        )}
      </Card>
      <Drawer
        opened={edited !== null}
        onClose={close}
        size="md"
        title={edited && edited !== "new" ? t("users.edit", { name: edited.name }) : t("users.new")}
      >
        {edited && (
          <UserForm key={edited === "new" ? "" : edited.login} user={edited === "new" ? null : edited} onDone={close} />
        )}
      </Drawer>
    </Stack>
  );
}

function Rows({ users, onEdit }: { users: User[]; onEdit: (user: User) => void }) {
  const t = useT();
  return (
    <Table.ScrollContainer minWidth={760}>
      <Table verticalSpacing="sm" horizontalSpacing="md" highlightOnHover className={classes.table ?? ""}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("users.name")}</Table.Th>
            <Table.Th>{t("users.roles")}</Table.Th>
            <Table.Th>{t("users.serves")}</Table.Th>
            <Table.Th>{t("users.seen")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {users.map((user) => (
            <Table.Tr key={user.login} onClick={() => onEdit(user)} data-disabled={user.disabled || undefined}>
              <Table.Td>
                <UnstyledButton className={classes.name ?? ""} aria-label={t("users.edit", { name: user.name })}>
                  {user.name}
                </UnstyledButton>
                <Text size="sm" c="dimmed">
                  {user.login}
                </Text>
              </Table.Td>
              <Table.Td>
                <Group gap={6}>
                  {user.roles.map((role) => (
                    <Tag key={role} colour="grey">
                      {t(`role.${role}`)}
                    </Tag>
                  ))}
                  {user.disabled && (
                    <Tag colour="red" icon={IconUserOff}>
                      {t("users.disabled")}
                    </Tag>
                  )}
                </Group>
              </Table.Td>
              <Table.Td>
                <Text size="sm">{user.queues.length ? user.queues.join(", ") : t("users.all_queues")}</Text>
                <Text size="sm" c="dimmed">
                  {[user.languages.map((each) => t(`lang.${each}`)).join(", "), ...user.skills, user.phone]
                    .filter(Boolean)
                    .join(" · ")}
                </Text>
              </Table.Td>
              <Table.Td>
                {user.seen_at ? <Moment at={user.seen_at} /> : <Text c="dimmed">{t("users.never")}</Text>}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
