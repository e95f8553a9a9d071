import { useMantineColorScheme } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";

import { api, ApiError, keepCsrf, whenSignedOut } from "../api/client";
import type { Session } from "../api/schema";
import { stream } from "../api/stream";
import { firstLanguage, keepLanguage, type Language, LanguageContext, translator } from "../i18n";
import { may, type Role, SessionContext } from "./session";
import { SignInPage } from "./SignInPage";

const KEY = ["session"];

async function fetchSession(): Promise<Session | null> {
  try {
    return await api.get<Session>("/session");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

/** Shows the pages to whoever is signed in and the sign-in to everybody else; keeps language and theme. */
export function Gate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const [ended, setEnded] = useState(false);
  const { setColorScheme } = useMantineColorScheme();
  const found = useQuery({ queryKey: KEY, queryFn: fetchSession, staleTime: Infinity });
  const session = found.data ?? null;

  const spoken = useMemo(() => ({ language, t: translator(language) }), [language]);
  useEffect(() => keepLanguage(language), [language]);

  const leave = useCallback(
    (byServer: boolean) => {
      setEnded(byServer);
      client.clear();
      client.setQueryData(KEY, null);
    },
    [client],
  );
  useEffect(() => whenSignedOut(() => leave(true)), [leave]);
  useEffect(() => stream.on("bye", () => leave(true)), [leave]);

  const [shown, setShown] = useState<Session | null>(null);
  if (session !== shown) {
    setShown(session);
    if (session && (session.login !== shown?.login || session.language !== shown.language))
      setLanguage(session.language);
  }
  useEffect(() => {
    keepCsrf(session?.csrf ?? "");
    if (session) setColorScheme(session.theme);
  }, [session, setColorScheme]);
  if (session) keepCsrf(session.csrf);

  const signed = useMemo(
    () =>
      session && {
        session,
        may: (role: Role) => may(session.roles, role),
        signOut: () => void api.delete("/session").finally(() => leave(false)),
      },
    [session, leave],
  );

  if (found.isPending) return null;
  return (
    <LanguageContext value={spoken}>
      {signed ? (
        <SessionContext value={signed}>{children}</SessionContext>
      ) : (
        <SignInPage
          ended={ended}
          unreachable={found.isError}
          onLanguage={setLanguage}
          onSignedIn={(told) => {
            setEnded(false);
            client.setQueryData(KEY, told);
          }}
        />
      )}
    </LanguageContext>
  );
}
