import { useEffect, useRef } from "react";

/** `a`, `Enter`, `?`, or one after the other: `g b`. */
export type Keys = Record<string, (() => void) | undefined>;

const SECOND_KEY_MS = 1200;

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Enter and space belong to the button or link that has the focus. */
function activates(target: EventTarget | null, key: string): boolean {
  return (key === "Enter" || key === " ") && target instanceof HTMLElement && /^(BUTTON|A)$/.test(target.tagName);
}

let first = "";
let firstAt = 0;

/** Shortcuts of what is on the page now; off while somebody types, holds a modifier, or has a dialog open. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    function pressed(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
      if (typing(event.target) || activates(event.target, event.key)) return;
      if (document.querySelector("[role=dialog]:not([data-keys]), [role=menu]")) return;
      const pair = performance.now() - firstAt < SECOND_KEY_MS ? `${first} ${event.key}` : "";
      const call = latest.current[pair] ?? latest.current[event.key];
      if (!call) return;
      event.preventDefault();
      call();
    }
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}

/** Remembers the first key of a pair. One listener for all, added once. */
export function rememberFirstKeys(): void {
  document.addEventListener("keyup", (event) => {
    if (typing(event.target)) return;
    first = event.key;
    firstAt = performance.now();
  });
}
