import { useQuery } from "@tanstack/react-query";

import { api } from "../api/client";
import type { FloorSettings } from "../api/schema";

export function useSettings() {
  return useQuery({
    queryKey: ["settings"],
    queryFn: () => api.get<FloorSettings>("/settings"),
    staleTime: 5 * 60_000,
  });
}
