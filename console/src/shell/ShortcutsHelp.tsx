import { Group, Kbd, Modal, SimpleGrid, Stack, Text, Title } from "@mantine/core";

import { type PlainKey, useT } from "../i18n";
import { useSession } from "../session/session";
import type { Page } from "./pages";

type Line = [keys: string, what: PlainKey];

const DESK: Line[] = [
  ["a", "desk.go_available"],
  ["b", "desk.go_break"],
  ["o", "desk.go_offline"],
  ["Enter", "desk.accept"],
  ["Backspace", "desk.decline"],
];
const CALL: Line[] = [
  ["m", "desk.mute"],
  ["h", "desk.hold"],
  ["t", "desk.transfer"],
  ["k", "desk.digits"],
  ["n", "desk.to_notes"],
  ["e", "desk.hang_up"],
];
const LIVE: Line[] = [
  ["l", "live.listen"],
  ["w", "live.whisper"],
  ["j", "live.barge"],
  ["x", "live.stop"],
];

export function ShortcutsHelp({ opened, onClose, pages }: { opened: boolean; onClose: () => void; pages: Page[] }) {
  const t = useT();
  const { may } = useSession();
  const anywhere: Line[] = [...pages.map((page): Line => [page.keys, page.label]), ["?", "keys.title"]];
  return (
    <Modal opened={opened} onClose={onClose} title={t("keys.title")} size="lg">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="lg">
        <Section title={t("keys.anywhere")} lines={anywhere} />
        <Stack gap="lg">
          {may("agent") && <Section title={t("keys.desk")} lines={DESK} />}
          {may("agent") && <Section title={t("keys.call")} lines={CALL} />}
          {may("supervisor") && <Section title={t("keys.live")} lines={LIVE} />}
        </Stack>
      </SimpleGrid>
      <Text c="dimmed" size="sm" mt="lg">
        {t("keys.hint")}
      </Text>
    </Modal>
  );
}

function Section({ title, lines }: { title: string; lines: Line[] }) {
  const t = useT();
  return (
    <Stack gap={6}>
      <Title order={3}>{title}</Title>
      {lines.map(([keys, what]) => (
        <Group key={keys} justify="space-between" wrap="nowrap" gap="md">
          <Text size="sm">{t(what)}</Text>
          <Keycaps keys={keys} />
        </Group>
      ))}
    </Stack>
  );
}

export function Keycaps({ keys }: { keys: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      {keys.split(" ").map((key, at) => (
        <Kbd key={at} size="xs">
          {key === "Backspace" ? "⌫" : key === "Enter" ? "↵" : key}
        </Kbd>
      ))}
    </Group>
  );
}
