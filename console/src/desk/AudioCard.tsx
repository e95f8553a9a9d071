import { Button, Card, Collapse, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMicrophone, IconSettings } from "@tabler/icons-react";

import type { AgentView } from "../api/schema";
import { line, type LineView } from "../audio/line";
import { useT } from "../i18n";
import classes from "./AudioCard.module.css";
import { useDesk, useLine } from "./desk";
import { DeviceChoice, Trouble } from "./Devices";
import { useSettings } from "./settings";
import { LevelMeters } from "./LevelMeters";
import { NetworkQuality } from "./NetworkQuality";

/** The audio line: connect it, choose devices, hear that it works. Or the desk phone instead. */
export function AudioCard({ view }: { view: AgentView }) {
  const t = useT();
  const { commands } = useDesk();
  const now = useLine();
  const number = useSettings().data?.service_number;
  return (
    <Card>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Text fw={600}>{t("desk.audio")}</Text>
          <SegmentedControl
            size="xs"
            aria-label={t("desk.reach")}
            value={view.reach}
            onChange={(by) => commands.reach(by)}
            data={[
              { value: "browser", label: t("desk.reach_browser") },
              { value: "phone", label: t("desk.reach_phone") },
            ]}
          />
        </Group>
        {view.reach === "phone" ? (
          <Text size="sm" c="dimmed">
            {t("desk.phone_hint", { number: number ?? "–" })}
          </Text>
        ) : (
          <BrowserLine now={now} />
        )}
      </Stack>
    </Card>
  );
}

function BrowserLine({ now }: { now: LineView }) {
  const t = useT();
  const [devices, { toggle }] = useDisclosure();
  const up = now.state === "up";
  return (
    <>
      <Group gap={8} wrap="nowrap" role="status">
        <span className={classes.dot} data-state={now.state} aria-hidden />
        <Text size="sm">{t(`desk.line_${now.state}`)}</Text>
      </Group>
      <Trouble now={now} />
      {up && (
        <>
          <LevelMeters />
          <NetworkQuality now={now} />
        </>
      )}
      <Group gap="xs">
        {now.state === "elsewhere" || now.state === "taken" ? null : now.state === "off" ? (
          <Button leftSection={<IconMicrophone size={16} />} onClick={() => void line.start()}>
            {t("desk.connect")}
          </Button>
        ) : (
          <Button variant="default" onClick={() => line.stop()}>
            {t("desk.disconnect")}
          </Button>
        )}
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconSettings size={16} />}
          onClick={toggle}
          aria-expanded={devices}
        >
          {t("desk.microphone")} / {t("desk.loudspeaker").toLowerCase()}
        </Button>
      </Group>
      <Collapse expanded={devices}>{devices && <DeviceChoice />}</Collapse>
    </>
  );
}
