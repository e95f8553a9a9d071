import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { api } from "../api/client";
import type { Board } from "../api/schema";
import { stream } from "../api/stream";
import { withChanges } from "./board";

const KEY = ["board"];

/** The floor as it is, kept so by the stream's changed rows. */
export function useBoard() {
  const client = useQueryClient();
  useEffect(() => stream.hold("board"), []);
  useEffect(() => stream.on("opened", () => void client.invalidateQueries({ queryKey: KEY, exact: true })), [client]);
  useEffect(
    () =>
      stream.on("board", (changes) => client.setQueryData<Board>(KEY, (board) => board && withChanges(board, changes))),
    [client],
  );
  return useQuery({ queryKey: KEY, queryFn: () => api.get<Board>("/board"), staleTime: Infinity });
}

/** Who takes calls, for pages that show no board: fetched when asked for, fresh for a moment. */
export function useAgents() {
  return useQuery({
    queryKey: [...KEY, "agents"],
    queryFn: async () => (await api.get<Board>("/board")).agents,
    staleTime: 2000,
  });
}
