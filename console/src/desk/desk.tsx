import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useMemo, useSyncExternalStore } from "react";

import { api, part } from "../api/client";
import type { AgentStateChange, AgentView, Target, WrapUpDone } from "../api/schema";
import { stream } from "../api/stream";
import { line } from "../audio/line";
import { useTellError } from "../parts/States";
import { useOfferNotice } from "./notice";

const KEY = ["agent"];

/** What an agent can ask for. The stream brings what came of it; a refusal is shown. */
export interface Commands {
  become: (change: AgentStateChange) => void;
  reach: (by: AgentView["reach"]) => void;
  accept: (entry: string) => void;
  decline: (entry: string) => void;
  hold: (on: boolean) => void;
  mute: (on: boolean) => void;
  digits: (keys: string) => void;
  end: () => void;
  transfer: (to: Target) => Promise<boolean>;
  consult: (to: Target) => Promise<boolean>;
  completeConsult: () => void;
  cancelConsult: () => void;
  wrapUp: (done: WrapUpDone) => void;
}

interface Desk {
  view: AgentView | undefined;
  error: Error | null;
  retry: () => void;
  commands: Commands;
}

const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = use(DeskContext);
  if (!desk) throw new Error("useDesk is for agents");
  return desk;
}

export function useLine() {
  return useSyncExternalStore(line.watch, line.state);
}

/** Answers and the stream overtake each other. */
function newer(old: AgentView | undefined, told: AgentView): AgentView {
  return old && old.login === told.login && old.revision > told.revision ? old : told;
}

/** Keeps the agent's own state, the audio line and the ringing on every page. */
export function DeskProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const found = useQuery({
    queryKey: KEY,
    queryFn: () => api.get<AgentView>("/agent"),
    staleTime: Infinity,
    structuralSharing: (old, told) => newer(old as AgentView | undefined, told as AgentView),
  });
  const commands = useCommands();
  const view = found.data;

  useEffect(() => stream.hold("agent"), []);
  useEffect(() => stream.on("agent", (told) => client.setQueryData(KEY, told)), [client]);
  useEffect(() => stream.on("opened", () => void client.invalidateQueries({ queryKey: KEY })), [client]);

  const muted = view?.call?.muted ?? false;
  useEffect(() => line.mute(muted), [muted]);
  const inCall = Boolean(view?.call ?? view?.offer);
  useEffect(() => line.speak(inCall), [inCall]);
  const lineId = view?.line_id ?? "";
  const lineLost = view?.line === "lost";
  useEffect(() => line.check(lineId, lineLost), [lineId, lineLost]);
  useEffect(() => {
    if (line.wanted) void line.start();
    return () => line.drop();
  }, []);
  useOfferNotice(view?.offer ?? null);

  const { error, refetch } = found;
  const desk = useMemo(
    () => ({ view, error, retry: () => void refetch(), commands }),
    [view, error, refetch, commands],
  );
  return <DeskContext value={desk}>{children}</DeskContext>;
}

function useCommands(): Commands {
  const client = useQueryClient();
  const tell = useTellError();
  return useMemo(() => {
    // An answer that holds the new view shows it at once; otherwise the view is fetched, should the stream be late.
    const run = async (asked: Promise<unknown>): Promise<boolean> => {
      try {
        const answer = await asked;
        if (isView(answer)) client.setQueryData(KEY, answer);
        else void client.invalidateQueries({ queryKey: KEY });
        return true;
      } catch (error) {
        tell(error);
        void client.invalidateQueries({ queryKey: KEY });
        return false;
      }
    };
    const call = (what: string, body?: unknown) => run(api.post(`/agent/call/${what}`, body));
    return {
      become: (change) => void run(api.put("/agent/state", change)),
      reach: (by) => void run(api.put("/agent/reach", { by })),
      accept: (entry) => void run(api.post(`/offers/${part(entry)}/accept`)),
      decline: (entry) => void run(api.post(`/offers/${part(entry)}/decline`)),
      hold: (on) => void call("hold", { on }),
      mute: (on) => {
        line.mute(on);
        void call("mute", { on });
      },
      digits: (keys) => void call("digits", { keys }),
      end: () => void call("end"),
      transfer: (to) => call("transfer", to),
      consult: (to) => call("consult", to),
      completeConsult: () => void call("consult/complete"),
      cancelConsult: () => void call("consult/cancel"),
      wrapUp: (done) => void run(api.post("/agent/wrap-up", done)),
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `tell` follows the language only
  }, [client]);
}

function isView(answer: unknown): answer is AgentView {
  return typeof answer === "object" && answer !== null && "reach" in answer && "waiting" in answer;
}
