import { useSyncExternalStore } from "react";

import { serverNow } from "../api/client";

const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let tick = 0;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    tick += 1;
    watchers.forEach((call) => call());
  }, 1000);
  return () => {
    watchers.delete(watcher);
    if (!watchers.size) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The server's time in ms, looked at every second by all who show a running time, in one tick. */
export function useNow(): number {
  useSyncExternalStore(watch, () => tick);
  return serverNow();
}

export function secondsSince(at: string, now: number): number {
  return Math.max(0, (now - Date.parse(at)) / 1000);
}

export function secondsUntil(at: string, now: number): number {
  return Math.max(0, (Date.parse(at) - now) / 1000);
}

/** `0:07`, `12:34`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${h ? String(m).padStart(2, "0") : m}:${String(s).padStart(2, "0")}`;
  return h ? `${h}:${tail}` : tail;
}

export type Locale = "pl" | "en";
const LOCALES = { pl: "pl-PL", en: "en-GB" };

/** Date and time of something past, short: only the time when it was today. */
export function moment(at: string, locale: Locale, now: number): string {
  const day = new Date(at);
  const today = new Date(now).toDateString() === day.toDateString();
  return new Intl.DateTimeFormat(LOCALES[locale], {
    ...(today ? {} : { day: "numeric", month: "short" }),
    ...(now - day.getTime() > 300 * 86_400_000 ? { year: "numeric" } : {}),
    hour: "2-digit",
    minute: "2-digit",
  }).format(day);
}

export function exact(at: string, locale: Locale): string {
  return new Intl.DateTimeFormat(LOCALES[locale], { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}

/** "4,2" */
export function decimal(value: number, locale: Locale): string {
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(LOCALES[locale], digits).format(value);
}

export function percent(share: number, locale: Locale): string {
  return new Intl.NumberFormat(LOCALES[locale], { style: "percent", maximumFractionDigits: 0 }).format(share);
}

/** A telephone number in groups, as people read it: `+48 600 100 200`. */
export function phone(number: string): string {
  const polish = /^(?:\+48|0048)(\d{3})(\d{3})(\d{3})$/.exec(number);
  if (polish) return `+48 ${polish.slice(1).join(" ")}`;
  const bare = /^(\d{3})(\d{3})(\d{3})$/.exec(number);
  return bare ? bare.slice(1).join(" ") : number;
}
