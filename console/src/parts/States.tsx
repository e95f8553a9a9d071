import { Alert, Button, Center, Skeleton, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ApiError } from "../api/client";
import { type Translate, useT } from "../i18n";

/** What there is to do when there is nothing to show. */
export function Empty({ icon, title, children }: { icon: ReactNode; title: string; children?: ReactNode }) {
  return (
    <Center py="xl" px="md">
      <Stack align="center" gap={6} maw={420} ta="center">
        <Text c="dimmed" lh={1} component="div" aria-hidden>
          {icon}
        </Text>
        <Text fw={600}>{title}</Text>
        {children && (
          <Text c="dimmed" size="sm" component="div">
            {children}
          </Text>
        )}
      </Stack>
    </Center>
  );
}

/** Codes of HTTP itself: their messages are for programs. */
const GENERIC = new Set(["not_found", "method_not_allowed", "content_too_large", "service_unavailable"]);

/** What went wrong, and what to do, in the reader's words. */
export function told(error: unknown, t: Translate): { title: string; remedy: string } {
  if (!(error instanceof ApiError)) return { title: t("error.title"), remedy: t("error.page") };
  if (error.unreachable) return { title: t("error.title"), remedy: t("error.unreachable") };
  const { message, remedy, code } = error.problem;
  if (message && !GENERIC.has(code)) return { title: message, remedy };
  if (error.status === 403) return { title: t("error.title"), remedy: t("error.forbidden") };
  if (error.status === 404) return { title: t("error.title"), remedy: t("error.not_found") };
  return { title: t("error.title"), remedy: t("error.other", { code }) };
}

export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT();
  const { title, remedy } = told(error, t);
  return (
    <Alert color="red" role="alert" icon={<IconAlertTriangle />} title={title}>
      <Stack gap="xs" align="flex-start">
        {remedy}
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t("app.retry")}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** Grey lines where text is about to be, so that nothing jumps when it comes. */
export function Lines({ count = 4, height = 18 }: { count?: number; height?: number }) {
  return (
    <Stack gap="sm" aria-hidden>
      {Array.from({ length: count }, (_, at) => (
        <Skeleton key={at} height={height} width={`${[100, 84, 92, 70][at % 4] ?? 90}%`} />
      ))}
    </Stack>
  );
}

export function useTellError(): (error: unknown) => void {
  const t = useT();
  return (error) => {
    const { title, remedy } = told(error, t);
    notifications.show({
      color: "red",
      title,
      message: remedy,
      icon: <IconAlertTriangle size={18} />,
      autoClose: 8000,
    });
  };
}

/** A command to the server; when it fails the reason is shown, whatever else the caller does. */
export function useCommand<Input = void, Answer = unknown>(
  run: (input: Input) => Promise<Answer>,
  done?: (answer: Answer, input: Input) => void,
) {
  const tell = useTellError();
  return useMutation({ mutationFn: run, onError: tell, onSuccess: (answer, input) => done?.(answer, input) });
}
