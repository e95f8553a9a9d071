import { Anchor, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconRecordMail } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";

import { api, part } from "../api/client";
import type { Voicemail } from "../api/schema";
import { useT } from "../i18n";
import { Tag } from "../parts/Meaning";
import { Empty, ErrorNote, Lines, useCommand } from "../parts/States";
import { Length, Moment } from "../parts/Times";
import { phone } from "../parts/time";

export default function VoicemailsPage() {
  const t = useT();
  const found = useQuery({
    queryKey: ["voicemails"],
    queryFn: () => api.get<Voicemail[]>("/voicemails"),
    refetchInterval: 30_000,
  });
  return (
    <Stack gap="md" maw={860}>
      <Title order={1}>{t("voicemails.title")}</Title>
      {found.isError && <ErrorNote error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && (
        <Card>
          <Lines count={6} />
        </Card>
      )}
      {found.data?.length === 0 && (
        <Card>
          <Empty icon={<IconRecordMail size={40} stroke={1.5} />} title={t("voicemails.none")}>
            {t("voicemails.none_detail")}
          </Empty>
        </Card>
      )}
      {found.data?.map((voicemail) => (
        <Message key={voicemail.id} voicemail={voicemail} />
      ))}
    </Stack>
  );
}

function Message({ voicemail }: { voicemail: Voicemail }) {
  const t = useT();
  const client = useQueryClient();
  const heard = useCommand(
    () => api.post(`/voicemails/${part(voicemail.id)}/heard`),
    () => void client.invalidateQueries({ queryKey: ["voicemails"] }),
  );
  return (
    <Card component="article">
      <Group justify="space-between" gap="xs" mb={6}>
        <Group gap="sm">
          <Text fw={650} className="tabular">
            {phone(voicemail.number) || t("app.unknown_caller")}
          </Text>
          {voicemail.heard_by ? (
            <Text size="sm" c="dimmed">
              {t("voicemails.heard", { name: voicemail.heard_by })}
            </Text>
          ) : (
            <Tag colour="violet">{t("voicemails.new")}</Tag>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {voicemail.queue} · <Moment at={voicemail.left_at} /> · <Length seconds={voicemail.duration_s} />
        </Text>
      </Group>
      <Text className="words">{voicemail.transcript}</Text>
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- its words stand above */}
      <audio
        controls
        preload="none"
        src={`/api/voicemails/${part(voicemail.id)}/audio`}
        aria-label={t("voicemails.listen")}
        onEnded={() => voicemail.heard_by || heard.mutate(undefined)}
      />
      <Anchor component={Link} href={`/calls/${voicemail.call_id}`} size="sm" mt={6} w="fit-content">
        {t("alerts.show_call")}
      </Anchor>
    </Card>
  );
}
