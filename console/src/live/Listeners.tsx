import { Group, Text, Title } from "@mantine/core";
import { IconEar, IconMessage2, IconMicrophone } from "@tabler/icons-react";

import type { Listener } from "../api/schema";
import { useT } from "../i18n";
import { Since } from "../parts/Times";

const SIGNS = { listen: IconEar, whisper: IconMessage2, barge: IconMicrophone };

/** Which supervisors are in the call. */
export function Listeners({ listeners }: { listeners: Listener[] }) {
  const t = useT();
  return (
    <>
      <Title order={2} mb="xs">
        {t("live.who_listens")}
      </Title>
      {!listeners.length && (
        <Text size="sm" c="dimmed">
          {t("live.nobody_listens")}
        </Text>
      )}
      {listeners.map((listener) => {
        const Sign = SIGNS[listener.mode];
        return (
          <Group key={listener.id} gap={8} wrap="nowrap">
            <Sign size={16} aria-hidden />
            <Text flex={1} className="clip">
              {listener.name || listener.login}{" "}
              <Text span c="dimmed" size="sm">
                {t(`live.mode_${listener.mode}`)}
              </Text>
            </Text>
            <Text size="sm" c="dimmed">
              <Since at={listener.since} />
            </Text>
          </Group>
        );
      })}
    </>
  );
}
