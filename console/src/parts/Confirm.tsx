import { Button, Group, Modal, Text } from "@mantine/core";

import { useT } from "../i18n";

interface Props {
  opened: boolean;
  onClose: () => void;
  onYes: () => void;
  text: string;
  yes: string;
}

/** A question before something that cannot be taken back. Enter says yes, Escape no. */
export function Confirm({ opened, onClose, onYes, text, yes }: Props) {
  const t = useT();
  return (
    <Modal opened={opened} onClose={onClose} withCloseButton={false} size="sm" aria-label={text}>
      <Text fw={600} mb="lg">
        {text}
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {t("app.cancel")}
        </Button>
        <Button
          color="red.8"
          data-autofocus
          onClick={() => {
            onClose();
            onYes();
          }}
        >
          {yes}
        </Button>
      </Group>
    </Modal>
  );
}
