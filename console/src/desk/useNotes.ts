import { useEffect, useRef, useState } from "react";

import { api } from "../api/client";

const PAUSE_MS = 800;
const AGAIN_MS = 3000;

export type Saving = "saved" | "saving" | "failed" | "untouched";

const unsaved = new Map<string, string>();

/** What was typed about an entry and is still on its way to the server, else what the server has. */
export function newestNotes(entry: string, kept: string): string {
  return unsaved.get(entry) ?? kept;
}

async function send(entry: string, text: string): Promise<void> {
  await api.put("/agent/call/notes", { notes: text });
  if (unsaved.get(entry) === text) unsaved.delete(entry);
}

/** Notes that save themselves shortly after the last key, and again until the server has them. */
export function useNotes(entry: string, first: string) {
  const [notes, setNotes] = useState(() => newestNotes(entry, first));
  const [saving, setSaving] = useState<Saving>("untouched");
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  async function save(): Promise<void> {
    const text = unsaved.get(entry);
    if (text === undefined) return;
    try {
      await send(entry, text);
      if (!unsaved.has(entry)) setSaving("saved");
    } catch {
      setSaving("failed");
      later(AGAIN_MS);
    }
  }

  function later(pauseMs: number): void {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void save(), pauseMs);
  }

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      // The call ended in the middle of a word: the last of it is sent all the same.
      const text = unsaved.get(entry);
      if (text !== undefined) void send(entry, text).catch(() => unsaved.delete(entry));
    },
    [entry],
  );

  return {
    notes,
    saving,
    write: (text: string) => {
      setNotes(text);
      setSaving("saving");
      unsaved.set(entry, text);
      later(PAUSE_MS);
    },
  };
}
