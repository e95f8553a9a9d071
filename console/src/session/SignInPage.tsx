import { Alert, Box, Button, Card, Code, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { api, ApiError } from "../api/client";
import type { Session } from "../api/schema";
import { type Language, useT } from "../i18n";
import { Mark } from "../parts/Mark";
import { Secret } from "../parts/Secret";
import { LanguageSwitch, ThemeSwitch } from "../shell/switches";
import classes from "./SignInPage.module.css";

type Refusal = { kind: "wrong" | "unreachable" } | { kind: "told"; message: string; remedy: string } | null;

interface Props {
  ended: boolean;
  unreachable: boolean;
  onLanguage: (language: Language) => void;
  onSignedIn: (session: Session) => void;
}

export function SignInPage({ ended, unreachable, onLanguage, onSignedIn }: Props) {
  const t = useT();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>(unreachable ? { kind: "unreachable" } : null);
  const [waitS, setWaitS] = useWait();
  const field = useRef<HTMLInputElement>(null);

  async function submit() {
    setBusy(true);
    try {
      onSignedIn(await api.post<Session>("/session", { login: login.trim().toLowerCase(), password }));
    } catch (error) {
      setRefusal(refusalOf(error, setWaitS));
      setPassword("");
      field.current?.focus();
    } finally {
      setBusy(false);
    }
  }

  return (
    <Box component="main" className={classes.page}>
      <Stack gap="lg" className={classes.column}>
        <Group gap="sm" justify="center">
          <Mark size={40} />
          <Box>
            <Title order={1} fz={22} lh={1.2}>
              {t("app.name")}
            </Title>
            <Text c="dimmed" size="sm">
              {t("signin.lead")}
            </Text>
          </Box>
        </Group>
        <Card padding="lg">
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void submit();
            }}
          >
            <Stack gap="md">
              <Notice ended={ended} refusal={refusal} waitS={waitS} />
              <TextInput
                label={t("signin.login")}
                name="username"
                autoComplete="username"
                autoCapitalize="none"
                spellCheck={false}
                size="md"
                required
                withAsterisk={false}
                data-autofocus
                ref={(element) => {
                  if (element && !login && document.activeElement === document.body) element.focus();
                }}
                value={login}
                onChange={(event) => setLogin(event.currentTarget.value)}
              />
              <Secret
                label={t("signin.password")}
                name="password"
                autoComplete="current-password"
                size="md"
                required
                withAsterisk={false}
                ref={field}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
              />
              <Button type="submit" size="md" loading={busy} disabled={waitS > 0} fullWidth>
                {t("signin.submit")}
              </Button>
            </Stack>
          </form>
        </Card>
        <Group justify="center" gap="md">
          <LanguageSwitch onChange={onLanguage} />
          <ThemeSwitch />
        </Group>
        <Text c="dimmed" size="xs" ta="center">
          {t("signin.first")} <Code className="nowrap">voicebot users add</Code>
        </Text>
      </Stack>
    </Box>
  );
}

function Notice({ ended, refusal, waitS }: { ended: boolean; refusal: Refusal; waitS: number }) {
  const t = useT();
  if (waitS > 0)
    return (
      <Alert
        color="orange"
        icon={<IconAlertTriangle />}
        role="alert"
        title={t("signin.throttled", { seconds: waitS })}
      />
    );
  if (refusal) {
    const title = refusal.kind === "told" ? refusal.message : t(`signin.${refusal.kind}`);
    return (
      <Alert color="red" icon={<IconAlertTriangle />} role="alert" title={title}>
        {refusal.kind === "told" ? refusal.remedy : t(`signin.${refusal.kind}_remedy`)}
      </Alert>
    );
  }
  return ended ? <Alert color="blue" icon={<IconInfoCircle />} role="status" title={t("signin.ended")} /> : null;
}

function refusalOf(error: unknown, wait: (seconds: number) => void): Refusal {
  if (!(error instanceof ApiError)) throw error;
  if (error.unreachable) return { kind: "unreachable" };
  if (error.status === 429) {
    wait(error.retryAfterS ?? 30);
    return null;
  }
  if (error.status === 401) return { kind: "wrong" };
  return { kind: "told", message: error.problem.message || error.problem.code, remedy: error.problem.remedy };
}

/** Seconds that count down to 0. */
function useWait(): [number, (seconds: number) => void] {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (seconds <= 0) return;
    const timer = setTimeout(() => setSeconds(seconds - 1), 1000);
    return () => clearTimeout(timer);
  }, [seconds]);
  return [seconds, setSeconds];
}
