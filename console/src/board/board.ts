import type { Board, BoardCall, BoardChanges, BoardQueue } from "../api/schema";

/** Changes older than the fetched board say nothing new. */
export function withChanges(board: Board, changes: BoardChanges): Board {
  if (changes.revision <= board.revision) return board;
  return {
    revision: changes.revision,
    calls: replaced(board.calls, changes.calls, (row) => row.call_id),
    agents: replaced(board.agents, changes.agents, (row) => row.login),
    queues: replaced(board.queues, changes.queues, (row) => row.name),
    alerts: replaced(board.alerts, changes.alerts, (row) => row.id),
  };
}

function replaced<Row>(rows: Row[], changes: Record<string, Row | null>, key: (row: Row) => string): Row[] {
  const left = new Map(Object.entries(changes));
  if (!left.size) return rows;
  const kept = rows.flatMap((row) => {
    const name = key(row);
    const changed = left.get(name);
    if (changed === undefined) return [row];
    left.delete(name);
    return changed ? [changed] : [];
  });
  return [...kept, ...[...left.values()].filter((row) => row !== null)];
}

export interface Counts {
  bot: number;
  waiting: number;
  agents: number;
}

export type Where = keyof Counts;

export function whereIs(phase: BoardCall["phase"]): Where {
  if (phase === "bot") return "bot";
  return phase === "waiting" || phase === "offered" ? "waiting" : "agents";
}

export function counted(calls: readonly BoardCall[]): Counts {
  const counts: Counts = { bot: 0, waiting: 0, agents: 0 };
  for (const call of calls) counts[whereIs(call.phase)] += 1;
  return counts;
}

/** Of all queues together, by how many calls each had; null before the first. */
export function serviceLevel(queues: readonly BoardQueue[]): number | null {
  let [calls, within] = [0, 0];
  for (const queue of queues) {
    if (queue.service_level === null) continue;
    calls += queue.offered_today;
    within += queue.service_level * queue.offered_today;
  }
  return calls ? within / calls : null;
}

/** Whether a call has all the words of a filter somewhere in what the board shows of it. */
export function fits(call: BoardCall, filter: string): boolean {
  const shown = fold([call.caller, call.agent, call.queue, call.flow, call.step, call.bot, call.last_words].join(" "));
  return fold(filter)
    .split(/\s+/)
    .every((word) => shown.includes(word));
}

/** Without case and accents, so that `dabrowska` finds Dąbrowska. */
function fold(text: string): string {
  return text.toLowerCase().replaceAll("ł", "l").normalize("NFD").replace(/\p{M}/gu, "");
}
