import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { api, part } from "../api/client";
import type { Alert } from "../api/schema";
import { stream } from "../api/stream";
import { useCommand } from "../parts/States";

const KEY = ["alerts"];

/** Alerts of the floor, newest first, kept up to date by the stream. */
export function useAlerts() {
  const client = useQueryClient();
  useEffect(() => stream.hold("alerts"), []);
  useEffect(
    () => stream.on("alert", (alert) => client.setQueryData<Alert[]>(KEY, (old) => put(old ?? [], alert))),
    [client],
  );
  useEffect(() => stream.on("opened", () => void client.invalidateQueries({ queryKey: KEY })), [client]);
  return useQuery({ queryKey: KEY, queryFn: () => api.get<Alert[]>("/alerts"), staleTime: Infinity });
}

export function useAcknowledge() {
  const client = useQueryClient();
  return useCommand(
    (id: string) => api.post(`/alerts/${part(id)}/acknowledge`),
    () => void client.invalidateQueries({ queryKey: KEY }),
  );
}

export function put(alerts: readonly Alert[], alert: Alert): Alert[] {
  return [alert, ...alerts.filter((other) => other.id !== alert.id)].sort((a, b) => b.at.localeCompare(a.at));
}

export function openOnes(alerts: readonly Alert[]): Alert[] {
  return alerts.filter((alert) => !alert.acknowledged_at);
}
