import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { api, part } from "../api/client";
import type { LiveCall, Turn } from "../api/schema";
import { stream } from "../api/stream";
import { merge, tellsMore, withEvent } from "./turns";

const REFETCH_MS = 700;

/** One live call: its words as they come, the rest soon after. `ended` when it is over. */
export function useCall(id: string) {
  const client = useQueryClient();
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [ended, setEnded] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const found = useQuery({
    queryKey: ["live", id],
    queryFn: () => api.get<LiveCall>(`/live/${part(id)}`),
    staleTime: Infinity,
    placeholderData: (before) => (before?.row.call_id === id ? before : undefined),
  });

  const [merged, setMerged] = useState<LiveCall | undefined>(undefined);
  if (found.data !== merged) {
    setMerged(found.data);
    if (found.data) setTurns(merge(found.data, merged?.row.call_id === found.data.row.call_id ? turns : []));
    else setTurns([]);
  }

  useEffect(() => stream.hold(`call:${id}`), [id]);
  useEffect(() => {
    const again = () => void client.invalidateQueries({ queryKey: ["live", id] });
    const stopOpened = stream.on("opened", again);
    const stop = stream.on("call", ({ call_id, event }) => {
      if (call_id !== id) return;
      setTurns((before) => withEvent(before, event));
      if (event.event === "call_ended") setEnded(true);
      else if (tellsMore(event))
        timer.current ??= setTimeout(() => {
          timer.current = undefined;
          again();
        }, REFETCH_MS);
    });
    return () => {
      stop();
      stopOpened();
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, [client, id]);

  return {
    call: found.data,
    turns,
    ended,
    error: found.error,
    pending: found.isPending,
    retry: () => void found.refetch(),
  };
}
