import { Card, Group, SegmentedControl, Text, TextInput, Title, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconFilterOff, IconPhoneOff, IconSearch } from "@tabler/icons-react";
import {
  createColumnHelper, flexRender, getCoreRowModel, getSortedRowModel, type SortingState, useReactTable,
} from "@tanstack/react-table"; // prettier-ignore
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";

import type { BoardAgent, BoardCall } from "../api/schema";
import { useT } from "../i18n";
import { Empty } from "../parts/States";
import { phone } from "../parts/time";
import { fits, type Where, whereIs } from "./board";
import { CallerCell, FlowCell, PhaseCell, TroubleCell, WordsCell } from "./CallCells";
import classes from "./CallsTable.module.css";
import { Since } from "../parts/Times";

const ROW_PX = 52;
const MOODS = ["neutral", "impatient", "angry"];
const column = createColumnHelper<BoardCall>();

interface Props {
  calls: BoardCall[];
  agents: BoardAgent[];
}

/** All live calls. Only the rows in view are drawn, so that hundreds stay quick. */
export function CallsTable({ calls, agents }: Props) {
  const t = useT();
  const [where, setWhere] = useState<Where | "all">("all");
  const [typed, setTyped] = useState("");
  const filter = useDeferredValue(typed);
  const shown = useMemo(
    () => calls.filter((call) => (where === "all" || whereIs(call.phase) === where) && fits(call, filter)),
    [calls, where, filter],
  );
  return (
    <Card padding={0}>
      <Group justify="space-between" p="md" pb="sm" gap="sm">
        <Group gap="sm" align="baseline">
          <Title order={2}>{t("board.calls")}</Title>
          <Text size="sm" c="dimmed" className="tabular">
            {t("board.count", { n: shown.length })}
          </Text>
        </Group>
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label={t("board.phase")}
            value={where}
            onChange={(value) => setWhere(value)}
            data={[
              { value: "all", label: t("app.all") },
              { value: "bot", label: t("board.with_bot") },
              { value: "waiting", label: t("board.waiting") },
              { value: "agents", label: t("board.with_agents") },
            ]}
          />
          <TextInput
            size="xs"
            w={190}
            leftSection={<IconSearch size={14} />}
            placeholder={t("board.filter")}
            aria-label={t("board.filter")}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </Group>
      </Group>
      {shown.length ? (
        <Rows calls={shown} agents={agents} />
      ) : calls.length ? (
        <Empty icon={<IconFilterOff size={36} stroke={1.5} />} title={t("board.no_match")}>
          {t("board.no_match_detail")}
        </Empty>
      ) : (
        <Empty icon={<IconPhoneOff size={36} stroke={1.5} />} title={t("board.no_calls")}>
          {t("board.no_calls_detail")}
        </Empty>
      )}
    </Card>
  );
}

/** The more, the sooner somebody should look. */
function trouble(call: BoardCall): number {
  return call.alerts.length + MOODS.indexOf(call.mood);
}

function useColumns(agents: BoardAgent[]) {
  const t = useT();
  return useMemo(() => {
    const names = new Map(agents.map((agent) => [agent.login, agent.name]));
    return [
      column.accessor("caller", { header: t("board.caller"), cell: ({ row }) => <CallerCell call={row.original} /> }),
      column.accessor("phase", {
        header: t("board.phase"),
        cell: ({ row }) => (
          <PhaseCell call={row.original} agent={names.get(row.original.agent) ?? row.original.agent} />
        ),
        sortingFn: (a, b) => Date.parse(b.original.phase_since) - Date.parse(a.original.phase_since),
      }),
      column.accessor("started_at", {
        header: t("board.length"),
        cell: ({ getValue }) => <Since at={getValue()} />,
        sortingFn: (a, b) => Date.parse(b.original.started_at) - Date.parse(a.original.started_at),
      }),
      column.accessor("flow", { header: t("board.flow"), cell: ({ row }) => <FlowCell call={row.original} /> }),
      column.accessor(trouble, {
        id: "trouble",
        header: t("calls.mood_alerts"),
        cell: ({ row }) => <TroubleCell call={row.original} />,
      }),
      column.accessor("last_words", {
        header: t("board.words"),
        cell: ({ getValue }) => <WordsCell words={getValue()} />,
        enableSorting: false,
      }),
    ];
  }, [t, agents]);
}

function Rows({ calls, agents }: Props) {
  const t = useT();
  const [, go] = useLocation();
  const [sorting, setSorting] = useState<SortingState>([{ id: "started_at", desc: true }]);
  const scroller = useRef<HTMLDivElement>(null);
  const table = useReactTable({
    data: calls,
    columns: useColumns(agents),
    state: { sorting },
    onSortingChange: setSorting,
    getRowId: (call) => call.call_id,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    sortDescFirst: true,
  });
  const { rows } = table.getRowModel();
  const view = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 6,
    getItemKey: (at) => rows[at]?.id ?? at,
  });

  return (
    <div
      ref={scroller}
      className={classes.scroller}
      role="table"
      aria-rowcount={rows.length}
      aria-label={t("board.calls")}
    >
      <div role="rowgroup" className={classes.head}>
        {table.getHeaderGroups().map((group) => (
          <div role="row" key={group.id} className={classes.row}>
            {group.headers.map((header) => (
              <Head
                key={header.id}
                sorted={header.column.getIsSorted()}
                onSort={header.column.getCanSort() ? header.column.getToggleSortingHandler() : undefined}
              >
                {String(header.column.columnDef.header)}
              </Head>
            ))}
          </div>
        ))}
      </div>
      <div role="rowgroup" className={classes.body} style={{ height: view.getTotalSize() }}>
        {view.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          const { call_id, caller, alerts, mood } = row.original;
          const open = () => go(`/live/${call_id}`);
          return (
            <div
              role="row"
              key={item.key}
              className={classes.row}
              data-loud={alerts.length > 0 || mood === "angry" || undefined}
              aria-rowindex={item.index + 1}
              aria-label={t("board.open_call", { caller: phone(caller) || t("app.unknown_caller") })}
              style={{ transform: `translateY(${item.start}px)` }}
              tabIndex={0}
              onClick={open}
              onKeyDown={(event) => event.key === "Enter" && open()}
            >
              {row.getVisibleCells().map((cell) => (
                <div role="cell" key={cell.id} className={classes.cell}>
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface HeadProps {
  sorted: false | "asc" | "desc";
  onSort: ((event: unknown) => void) | undefined;
  children: string;
}

function Head({ sorted, onSort, children }: HeadProps) {
  const t = useT();
  const Arrow = sorted === "asc" ? IconArrowUp : IconArrowDown;
  const order = sorted ? (sorted === "asc" ? "ascending" : "descending") : "none";
  return (
    <div role="columnheader" className={classes.cell} aria-sort={onSort ? order : undefined}>
      {onSort ? (
        <UnstyledButton className={classes.sort} onClick={onSort} aria-label={t("board.sort", { column: children })}>
          <span className="clip">{children}</span>
          <Arrow size={13} style={{ visibility: sorted ? "visible" : "hidden" }} aria-hidden />
        </UnstyledButton>
      ) : (
        <span className={`${classes.sort ?? ""} clip`}>{children}</span>
      )}
    </div>
  );
}
