import { SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";

import { type Language, useLanguage, useT } from "../i18n";

export function LanguageSwitch({ onChange }: { onChange: (language: Language) => void }) {
  const { language, t } = useLanguage();
  return (
    <SegmentedControl
      aria-label={t("me.language")}
      size="xs"
      value={language}
      onChange={(value) => onChange(value)}
      data={[
        { value: "pl", label: "Polski" },
        { value: "en", label: "English" },
      ]}
    />
  );
}

export type Theme = "light" | "dark" | "auto";

export function ThemeSwitch({ onChange }: { onChange?: (theme: Theme) => void }) {
  const t = useT();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const label = (icon: React.ReactNode, name: string) => (
    <span title={name} style={{ display: "flex" }}>
      {icon}
      <span className="hidden">{name}</span>
    </span>
  );
  return (
    <SegmentedControl
      aria-label={t("me.theme")}
      size="xs"
      value={colorScheme}
      onChange={(value) => {
        setColorScheme(value);
        onChange?.(value);
      }}
      data={[
        { value: "light", label: label(<IconSun size={16} />, t("me.theme_light")) },
        { value: "dark", label: label(<IconMoon size={16} />, t("me.theme_dark")) },
        { value: "auto", label: label(<IconDeviceDesktop size={16} />, t("me.theme_auto")) },
      ]}
    />
  );
}
