import { useEffect } from "react";

import type { Offer } from "../api/schema";
import { Ring } from "../audio/ring";
import { useT } from "../i18n";
import { phone } from "../parts/time";

const ring = new Ring();

/** A call is offered: it rings, the browser tells it outside the page, the tab's title blinks. */
export function useOfferNotice(offer: Offer | null): void {
  const t = useT();
  const entry = offer?.entry;
  const caller = offer ? phone(offer.caller) || t("app.unknown_caller") : "";
  const why = offer?.summary.why ?? "";

  useEffect(() => {
    if (!entry) return;
    ring.start();
    const notice = notify(t("desk.notice", { caller }), why);
    const stop = blinkTitle(t("desk.notice", { caller }));
    return () => {
      ring.stop();
      notice?.close();
      stop();
    };
  }, [entry, caller, why, t]);
}

function notify(title: string, body: string): Notification | null {
  if (!("Notification" in window) || Notification.permission !== "granted" || document.hasFocus()) return null;
  const notice = new Notification(title, { body, tag: "offer", requireInteraction: true });
  notice.onclick = () => {
    window.focus();
    notice.close();
  };
  return notice;
}

function blinkTitle(text: string): () => void {
  const before = document.title;
  let on = false;
  const timer = setInterval(() => {
    on = !on;
    document.title = on ? `● ${text}` : before;
  }, 900);
  return () => {
    clearInterval(timer);
    document.title = before;
  };
}

export function notificationsAllowed(): boolean {
  return !("Notification" in window) || Notification.permission !== "default";
}

/** Must follow a click. */
export async function allowNotifications(): Promise<void> {
  if (!notificationsAllowed()) await Notification.requestPermission();
}
