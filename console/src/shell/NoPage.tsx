import { Anchor } from "@mantine/core";
import { IconMapQuestion } from "@tabler/icons-react";
import { Link } from "wouter";

import { useT } from "../i18n";
import { Empty } from "../parts/States";

export function NoPage() {
  const t = useT();
  return (
    <Empty icon={<IconMapQuestion size={40} stroke={1.5} />} title={t("error.no_page")}>
      {t("error.no_page_detail")}{" "}
      <Anchor component={Link} href="/">
        {t("error.home")}
      </Anchor>
    </Empty>
  );
}
