import { useEffect, useRef, useState } from "react";

import { api } from "../api/client";

const PAUSE_MS = 800;
const AGAIN_MS = 3000;

export type Saving = "saved" | "saving" | "failed" | "untouched";

/** Notes that save themselves shortly after the last key, and again until the server has them. */
export function useNotes(first: string) {
  const [notes, setNotes] = useState(first);
  const [saving, setSaving] = useState<Saving>("untouched");
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const waiting = useRef<string | null>(null);

  async function save(): Promise<void> {
    const text = waiting.current;
    if (text === null) return;
    try {
      await api.put("/agent/call/notes", { notes: text });
      if (waiting.current === text) {
        waiting.current = null;
        setSaving("saved");
      }
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
      if (waiting.current !== null)
        void api.put("/agent/call/notes", { notes: waiting.current }).catch(() => undefined);
    },
    [],
  );

  return {
    notes,
    saving,
    write: (text: string) => {
      setNotes(text);
      setSaving("saving");
      waiting.current = text;
      later(PAUSE_MS);
    },
  };
}
