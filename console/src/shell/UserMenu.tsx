import { Avatar, Box, Menu, Stack, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKeyboard, IconLock, IconLogout } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";

import { api } from "../api/client";
import type { Preferences, Session } from "../api/schema";
import { useT } from "../i18n";
import { useCommand } from "../parts/States";
import { useSession } from "../session/session";
import { PasswordDialog } from "./PasswordDialog";
import { LanguageSwitch, ThemeSwitch } from "./switches";

export function UserMenu({ onShortcuts }: { onShortcuts: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const { session, signOut } = useSession();
  const [changing, dialog] = useDisclosure();
  const prefer = useCommand(
    (wish: Preferences) => api.patch("/session", wish),
    (_, wish) => client.setQueryData<Session | null>(["session"], (old) => old && ({ ...old, ...wish } as Session)),
  );
  return (
    <>
      <Menu width={260} position="bottom-end" shadow="md">
        <Menu.Target>
          <UnstyledButton p={4} style={{ borderRadius: 99 }} aria-label={t("me.account", { name: session.name })}>
            <Avatar size={32} variant="filled" radius="xl">
              {initials(session.name)}
            </Avatar>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Box px="sm" py={6}>
            <Text fw={600} className="clip">
              {session.name}
            </Text>
            <Text size="sm" c="dimmed" className="clip">
              {session.login} · {session.roles.map((role) => t(`role.${role}`)).join(", ")}
            </Text>
          </Box>
          <Menu.Divider />
          <Stack gap={8} px="sm" py={6} align="stretch">
            <LanguageSwitch onChange={(language) => prefer.mutate({ language })} />
            <ThemeSwitch onChange={(theme) => prefer.mutate({ theme })} />
          </Stack>
          <Menu.Divider />
          <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={onShortcuts}>
            {t("me.shortcuts")}
          </Menu.Item>
          <Menu.Item leftSection={<IconLock size={16} />} onClick={dialog.open}>
            {t("me.password")}
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={signOut}>
            {t("me.sign_out")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <PasswordDialog opened={changing} onClose={dialog.close} />
    </>
  );
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? (words.at(-1)?.[0] ?? "") : "")).toUpperCase();
}
