import { AppShell, Box, Burger, Group, NavLink, ScrollArea, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useEffect } from "react";
import { Link, useLocation } from "wouter";

import { AgentBar } from "../desk/AgentBar";
import { DeskProvider } from "../desk/desk";
import { LineNote } from "../desk/LineNote";
import { useT } from "../i18n";
import { useKeys } from "../parts/keys";
import { Mark } from "../parts/Mark";
import { useSession } from "../session/session";
import { AlertsBell } from "./AlertsBell";
import { ConnectionNote } from "./ConnectionNote";
import { type Page, PAGES } from "./pages";
import classes from "./Shell.module.css";
import { ShortcutsHelp } from "./ShortcutsHelp";
import { UserMenu } from "./UserMenu";

export function Shell({ children }: { children: ReactNode }) {
  const { may } = useSession();
  return may("agent") ? (
    <DeskProvider>
      <Frame>{children}</Frame>
    </DeskProvider>
  ) : (
    <Frame>{children}</Frame>
  );
}

function Frame({ children }: { children: ReactNode }) {
  const t = useT();
  const { may } = useSession();
  const [path, go] = useLocation();
  const [menu, { toggle, close }] = useDisclosure();
  const [help, helpSwitch] = useDisclosure();
  const pages = PAGES.filter((page) => page.roles.some(may));

  useEffect(() => close(), [path, close]);
  useTitle(pages, path);
  useKeys({ ...Object.fromEntries(pages.map((page) => [page.keys, () => go(page.path)])), "?": helpSwitch.open });

  return (
    <AppShell
      layout="alt"
      header={{ height: 56 }}
      navbar={{ width: 216, breakpoint: "md", collapsed: { mobile: !menu } }}
      padding={{ base: "sm", sm: "lg" }}
    >
      <a className="skip" href="#content">
        {t("app.skip")}
      </a>
      <AppShell.Header className={classes.header}>
        <Burger opened={menu} onClick={toggle} hiddenFrom="md" size="sm" aria-label={t("app.menu")} />
        <Box className={classes.agent}>{may("agent") && <AgentBar />}</Box>
        <Group gap={4} wrap="nowrap" ml="auto">
          {may("supervisor") && <AlertsBell />}
          <UserMenu onShortcuts={helpSwitch.open} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.nav}>
        <Group h={56} px="md" gap="xs" wrap="nowrap">
          <Burger opened={menu} onClick={toggle} hiddenFrom="md" size="sm" aria-label={t("app.menu")} />
          <Mark />
          <Text fw={700} size="lg" className={classes.name}>
            {t("app.name")}
          </Text>
        </Group>
        <ScrollArea flex={1} px="xs">
          <Navigation pages={pages} path={path} />
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <ConnectionNote />
        {may("agent") && <LineNote />}
        {children}
      </AppShell.Main>
      <ShortcutsHelp opened={help} onClose={helpSwitch.close} pages={pages} />
    </AppShell>
  );
}

function Navigation({ pages, path }: { pages: Page[]; path: string }) {
  const t = useT();
  const groups = [...new Set(pages.map((page) => page.group))];
  return (
    <Stack component="nav" gap="md" pb="md">
      {groups.map((group) => (
        <div key={group}>
          <Text className={classes.group}>{t(group)}</Text>
          {pages
            .filter((page) => page.group === group)
            .map((page) => {
              const active =
                path === page.path ||
                path.startsWith(`${page.path}/`) ||
                (page.path === "/board" && path.startsWith("/live/"));
              return (
                <NavLink
                  key={page.path}
                  component={Link}
                  href={page.path}
                  active={active}
                  aria-current={active ? "page" : undefined}
                  className={classes.link}
                  label={t(page.label)}
                  leftSection={<page.icon size={18} stroke={1.8} />}
                />
              );
            })}
        </div>
      ))}
    </Stack>
  );
}

function useTitle(pages: Page[], path: string): void {
  const t = useT();
  const page = pages.find((each) => path.startsWith(each.path));
  const title = page ? `${t(page.label)} · ${t("app.name")}` : t("app.name");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
