import { PasswordInput, type PasswordInputProps } from "@mantine/core";

import { useT } from "../i18n";

/** A password; the button that shows it says so in the language of the pages. */
export function Secret(props: PasswordInputProps) {
  const t = useT();
  return <PasswordInput visibilityToggleButtonProps={{ "aria-label": t("app.show_password") }} {...props} />;
}
