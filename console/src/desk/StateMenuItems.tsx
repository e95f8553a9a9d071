import { Menu } from "@mantine/core";

import { named, useT } from "../i18n";
import { STATES } from "../parts/Meaning";
import { useDesk } from "./desk";
import { useSettings } from "./settings";

/** The states that an agent may choose, for a menu. */
export function StateMenuItems() {
  const t = useT();
  const { commands, view } = useDesk();
  const reasons = useSettings().data?.break_reasons ?? [];
  const Available = STATES.available.icon;
  const Break = STATES.on_break.icon;
  const Offline = STATES.offline.icon;
  return (
    <>
      <Menu.Item
        leftSection={<Available size={16} color="var(--vb-green)" />}
        disabled={view?.state === "available"}
        onClick={() => commands.become({ state: "available", reason: "" })}
      >
        {t("state.available")}
      </Menu.Item>
      {reasons.map((reason) => (
        <Menu.Item
          key={reason}
          leftSection={<Break size={16} color="var(--vb-amber)" />}
          onClick={() => commands.become({ state: "break", reason })}
        >
          {t("state.on_break")}: {named(t, "reason", reason)}
        </Menu.Item>
      ))}
      <Menu.Item
        leftSection={<Offline size={16} color="var(--vb-grey)" />}
        disabled={view?.state === "offline"}
        onClick={() => commands.become({ state: "offline", reason: "" })}
      >
        {t("state.offline")}
      </Menu.Item>
    </>
  );
}
