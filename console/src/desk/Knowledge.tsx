import { Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconBook, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api } from "../api/client";
import type { Passage } from "../api/schema";
import { useT } from "../i18n";
import { Empty, ErrorNote, Lines } from "../parts/States";
import classes from "./Knowledge.module.css";

/** Passages for what the caller asked last, or for what the agent types. */
export function Knowledge({ question, language }: { question: string; language: string }) {
  const t = useT();
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim() || question, 300);
  const found = useQuery({
    queryKey: ["knowledge", asked, language],
    queryFn: ({ signal }) => api.get<Passage[]>("/knowledge", { q: asked, language }, signal),
    enabled: asked !== "",
    staleTime: 60_000,
    placeholderData: (before) => before,
  });
  return (
    <Stack gap="md">
      <TextInput
        aria-label={t("desk.knowledge_search")}
        placeholder={t("desk.knowledge_search")}
        leftSection={<IconSearch size={16} />}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      {!typed && asked && (
        <Text size="sm" c="dimmed" className="words">
          {t("desk.knowledge_asked", { question: asked })}
        </Text>
      )}
      {found.isError && <ErrorNote error={found.error} onRetry={() => void found.refetch()} />}
      {found.isLoading && <Lines />}
      {(!asked || found.data?.length === 0) && (
        <Empty icon={<IconBook size={32} stroke={1.5} />} title={t("desk.knowledge_none")}>
          {t("desk.knowledge_none_detail")}
        </Empty>
      )}
      {asked &&
        found.data?.map((passage) => (
          <article key={passage.source + passage.title} className={classes.passage}>
            <Text fw={600}>{passage.title}</Text>
            <Text className="words">{passage.text}</Text>
            <Text size="xs" c="dimmed">
              {passage.source}
            </Text>
          </article>
        ))}
    </Stack>
  );
}
