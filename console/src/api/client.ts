import type { Problem } from "./schema";

/** A refusal of the server, or that it could not be reached (`code` is then "unreachable"). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly retryAfterS: number | null = null,
  ) {
    super(problem.message);
  }

  get unreachable(): boolean {
    return this.status === 0;
  }
}

let csrf = "";
let clockAheadMs = 0;
const onSignedOut = new Set<() => void>();

/** The token of the session, sent with everything that changes something. */
export function keepCsrf(token: string): void {
  csrf = token;
}

/** Called when the server no longer knows the session. Returns how to stop that. */
export function whenSignedOut(call: () => void): () => void {
  onSignedOut.add(call);
  return () => onSignedOut.delete(call);
}

/** Milliseconds since 1970 by the server's clock, so that durations are right on a machine whose clock is not. */
export function serverNow(): number {
  return Date.now() + clockAheadMs;
}

function learnClock(response: Response, sentAt: number): void {
  const told = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(told)) return;
  const receivedAt = Date.now();
  // The header has whole seconds: half a second is its middle. Small differences are the rounding, not the clock.
  const ahead = told + 500 - (sentAt + receivedAt) / 2;
  clockAheadMs = Math.abs(ahead) > 1500 ? ahead : 0;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

async function request<Answer>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Accept-Language": document.documentElement.lang, // refusals are told in the language of the pages
  };
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sentAt = Date.now();
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ?? AbortSignal.timeout(15_000),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { code: "unreachable", message: "", remedy: "" });
  }
  learnClock(response, sentAt);
  if (response.status === 204) return undefined as Answer;
  const text = await response.text();
  if (response.ok) return (text ? JSON.parse(text) : undefined) as Answer;
  const signedOut = response.status === 401 && path !== "/session";
  if (signedOut) onSignedOut.forEach((call) => call());
  const retry = Number(response.headers.get("retry-after"));
  throw new ApiError(response.status, readProblem(text, response.status), retry > 0 ? retry : null);
}

function readProblem(text: string, status: number): Problem {
  try {
    const told = JSON.parse(text) as Partial<Problem>;
    if (typeof told.code === "string" && typeof told.message === "string")
      return { code: told.code, message: told.message, remedy: told.remedy ?? "" };
  } catch {
    // Something between us and the server answered; the status is all that is known.
  }
  return { code: `http_${status}`, message: "", remedy: "" };
}

type Query = Record<string, string | number | undefined>;

function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return pairs.length
    ? `${path}?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()}`
    : path;
}

export const api = {
  get: <Answer>(path: string, query: Query = {}, signal?: AbortSignal) =>
    request<Answer>("GET", withQuery(path, query), undefined, signal),
  post: <Answer = undefined>(path: string, body?: unknown) => request<Answer>("POST", path, body),
  put: <Answer = undefined>(path: string, body: unknown) => request<Answer>("PUT", path, body),
  patch: <Answer = undefined>(path: string, body: unknown) => request<Answer>("PATCH", path, body),
  delete: <Answer = undefined>(path: string) => request<Answer>("DELETE", path),
};

/** One part of a path: a login, an id, whatever it holds. */
export const part = encodeURIComponent;

/** Asks whether the session still holds; whoever waits for its end hears of it. */
export async function askSession(): Promise<void> {
  try {
    await api.get("/session");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) onSignedOut.forEach((call) => call());
  }
}
