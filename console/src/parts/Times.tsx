import { useLanguage } from "../i18n";
import { clock, exact, moment, secondsSince, secondsUntil, useNow } from "./time";

/** How long ago something began, running. */
export function Since({ at, className }: { at: string; className?: string }) {
  const now = useNow();
  return (
    <time className={`tabular nowrap ${className ?? ""}`} dateTime={at}>
      {clock(secondsSince(at, now))}
    </time>
  );
}

/** How long is left, running down to 0:00. */
export function Until({ at }: { at: string }) {
  const now = useNow();
  return <span className="tabular nowrap">{clock(Math.ceil(secondsUntil(at, now)))}</span>;
}

export function Length({ seconds }: { seconds: number | null | undefined }) {
  return <span className="tabular nowrap">{seconds == null ? "–" : clock(seconds)}</span>;
}

/** When something was; the exact time on hovering. */
export function Moment({ at }: { at: string }) {
  const { language } = useLanguage();
  const now = useNow();
  return (
    <time className="tabular nowrap" dateTime={at} title={exact(at, language)}>
      {moment(at, language, now)}
    </time>
  );
}
