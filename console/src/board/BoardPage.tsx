import { Box, Skeleton, Stack, Title } from "@mantine/core";

import { useT } from "../i18n";
import { ErrorNote } from "../parts/States";
import { AgentsCard } from "./AgentsCard";
import classes from "./BoardPage.module.css";
import { CallsTable } from "./CallsTable";
import { Figures } from "./Figures";
import { QueuesCard } from "./QueuesCard";
import { useBoard } from "./useBoard";

export default function BoardPage() {
  const t = useT();
  const { data, error, refetch } = useBoard();
  if (error && !data) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  return (
    <Stack gap="md">
      <Title order={1} className="hidden">
        {t("board.title")}
      </Title>
      {data ? <Figures board={data} /> : <Skeleton height={92} />}
      <Box className={classes.columns}>
        {data ? <CallsTable calls={data.calls} agents={data.agents} /> : <Skeleton height={560} />}
        <Stack gap="md">
          {data ? <QueuesCard queues={data.queues} /> : <Skeleton height={220} />}
          {data ? <AgentsCard agents={data.agents} /> : <Skeleton height={324} />}
        </Stack>
      </Box>
    </Stack>
  );
}
