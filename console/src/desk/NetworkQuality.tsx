import { Group, Text, Tooltip } from "@mantine/core";
import { IconAntennaBars1, IconAntennaBars2, IconAntennaBars3, IconAntennaBars5 } from "@tabler/icons-react";

import type { LineView } from "../audio/line";
import { useLanguage } from "../i18n";
import { percent } from "../parts/time";

const LOOKS = {
  good: { icon: IconAntennaBars5, colour: "var(--vb-green)" },
  fair: { icon: IconAntennaBars3, colour: "var(--vb-amber)" },
  poor: { icon: IconAntennaBars2, colour: "var(--vb-red)" },
  unknown: { icon: IconAntennaBars1, colour: "var(--vb-grey)" },
};

export function NetworkQuality({ now }: { now: LineView }) {
  const { t, language } = useLanguage();
  const { icon: Sign, colour } = LOOKS[now.quality];
  const { reading } = now;
  const detail =
    reading &&
    t("desk.quality_detail", {
      trip: reading.roundTripMs ?? "–",
      jitter: reading.jitterMs ?? "–",
      loss: reading.loss === null ? "–" : percent(reading.loss, language),
    });
  return (
    <Tooltip label={detail ?? t("desk.quality_unknown")}>
      <Group gap={6} wrap="nowrap" w="fit-content">
        <Sign size={18} color={colour} aria-hidden />
        <Text size="sm" c="dimmed">
          {t("desk.quality")}: {t(`desk.quality_${now.quality}`)}
          {reading?.roundTripMs != null && <span className="tabular"> · {reading.roundTripMs} ms</span>}
        </Text>
      </Group>
    </Tooltip>
  );
}
