import { Button, Group, Modal, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";

import { api } from "../api/client";
import type { NewPassword } from "../api/schema";
import { useT } from "../i18n";
import { useCommand } from "../parts/States";
import { Secret } from "../parts/Secret";

const SHORTEST = 15;

export function PasswordDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useT();
  return (
    <Modal opened={opened} onClose={onClose} title={t("me.password")}>
      <Form onDone={onClose} />
    </Modal>
  );
}

function Form({ onDone }: { onDone: () => void }) {
  const t = useT();
  const [old, setOld] = useState("");
  const [wanted, setWanted] = useState("");
  const [again, setAgain] = useState("");
  const change = useCommand(
    (body: NewPassword) => api.put("/session/password", body),
    () => {
      notifications.show({ color: "green", message: t("me.password_changed") });
      onDone();
    },
  );
  const short = wanted !== "" && wanted.length < SHORTEST;
  const differ = again !== "" && again !== wanted;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate({ old, new: wanted });
      }}
    >
      <Stack>
        <Secret
          label={t("me.old_password")}
          autoComplete="current-password"
          data-autofocus
          value={old}
          onChange={(event) => setOld(event.currentTarget.value)}
        />
        <Secret
          label={t("me.new_password")}
          autoComplete="new-password"
          error={short && t("me.too_short", { n: SHORTEST })}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        <Secret
          label={t("me.new_again")}
          autoComplete="new-password"
          error={differ && t("me.not_same")}
          value={again}
          onChange={(event) => setAgain(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t("app.cancel")}
          </Button>
          <Button
            type="submit"
            loading={change.isPending}
            disabled={!old || wanted.length < SHORTEST || wanted !== again}
          >
            {t("app.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
