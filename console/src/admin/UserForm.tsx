import {
  Button, Checkbox, Divider, Group, MultiSelect, Select, Stack, Switch, TagsInput, TextInput,
} from "@mantine/core"; // prettier-ignore
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconLogout, IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, part } from "../api/client";
import type { NewUser, User, UserChanges } from "../api/schema";
import { useSettings } from "../desk/settings";
import { useT } from "../i18n";
import { Confirm } from "../parts/Confirm";
import { useCommand } from "../parts/States";
import { Secret } from "../parts/Secret";
import { useSession } from "../session/session";

const ROLES: User["roles"] = ["agent", "supervisor", "operator", "administrator"];
const LANGUAGES: User["languages"] = ["pl", "en"];
const SHORTEST_PASSWORD = 15;

type Draft = Required<NewUser> & { disabled: boolean };

const FRESH: Draft = {
  login: "", name: "", password: "", roles: ["agent"], language: "pl", queues: [], skills: [], languages: ["pl", "en"],
  phone: "", pin: "", disabled: false,
}; // prettier-ignore

/** A new user, or changes of one that is there. */
export function UserForm({ user, onDone }: { user: User | null; onDone: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const settings = useSettings().data;
  const [draft, setDraft] = useState<Draft>(() => draftOf(user));
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const done = () => {
    void client.invalidateQueries({ queryKey: ["users"] });
    notifications.show({ color: "green", message: t("users.saved") });
    onDone();
  };
  const save = useCommand(
    () =>
      user ? api.patch<User>(`/users/${part(user.login)}`, changesOf(draft)) : api.post<User>("/users", newOf(draft)),
    done,
  );
  const password = draft.password.length >= SHORTEST_PASSWORD || (user !== null && draft.password === "");
  const ready = draft.name !== "" && draft.login !== "" && draft.roles.length > 0 && password;

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        <TextInput
          label={t("users.name")}
          data-autofocus
          maxLength={100}
          value={draft.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        {!user && (
          <TextInput
            label={t("users.login")}
            description={t("users.login_hint")}
            autoComplete="off"
            maxLength={64}
            value={draft.login}
            onChange={(event) => set({ login: event.currentTarget.value.toLowerCase().replace(/[^a-z0-9._-]/g, "") })}
          />
        )}
        <Secret
          label={t("users.password")}
          description={user ? t("users.password_keep") : t("users.password_hint", { n: SHORTEST_PASSWORD })}
          error={!password && draft.password !== "" && t("me.too_short", { n: SHORTEST_PASSWORD })}
          autoComplete="new-password"
          value={draft.password}
          onChange={(event) => set({ password: event.currentTarget.value })}
        />
        <Checkbox.Group
          label={t("users.roles")}
          value={draft.roles}
          onChange={(roles) => set({ roles: ROLES.filter((role) => roles.includes(role)) })}
        >
          <Group mt={6} gap="md">
            {ROLES.map((role) => (
              <Checkbox key={role} value={role} label={t(`role.${role}`)} />
            ))}
          </Group>
        </Checkbox.Group>
        <MultiSelect
          label={t("users.queues")}
          description={t("users.queues_hint")}
          data={[...new Set([...(settings?.queues ?? []).map((queue) => queue.name), ...draft.queues])]}
          value={draft.queues}
          onChange={(queues) => set({ queues })}
        />
        <TagsInput
          label={t("users.skills")}
          data={settings?.skills ?? []}
          value={draft.skills}
          onChange={(skills) => set({ skills })}
        />
        <Group grow align="flex-end">
          <MultiSelect
            label={t("users.languages")}
            data={LANGUAGES.map((value) => ({ value, label: t(`lang.${value}`) }))}
            value={draft.languages}
            onChange={(languages) => set({ languages: LANGUAGES.filter((each) => languages.includes(each)) })}
          />
          <Select
            label={t("users.language")}
            data={LANGUAGES.map((value) => ({ value, label: t(`lang.${value}`) }))}
            allowDeselect={false}
            value={draft.language}
            onChange={(language) => set({ language: language === "en" ? "en" : "pl" })}
          />
        </Group>
        <TextInput
          label={t("users.phone")}
          description={t("users.phone_hint")}
          maxLength={200}
          value={draft.phone}
          onChange={(event) => set({ phone: event.currentTarget.value.trim() })}
        />
        {draft.phone && (
          <TextInput
            label={t("users.pin")}
            description={user ? `${t("users.pin_hint")} ${t("users.password_keep")}` : t("users.pin_hint")}
            inputMode="numeric"
            autoComplete="off"
            maxLength={12}
            value={draft.pin}
            onChange={(event) => set({ pin: event.currentTarget.value.replace(/\D/g, "") })}
          />
        )}
        {user && (
          <Switch
            label={t("users.disable")}
            checked={draft.disabled}
            onChange={(event) => set({ disabled: event.currentTarget.checked })}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t("app.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!ready}>
            {t("app.save")}
          </Button>
        </Group>
        {user && <Hard user={user} onDone={done} />}
      </Stack>
    </form>
  );
}

/** What cuts somebody off. */
function Hard({ user, onDone }: { user: User; onDone: () => void }) {
  const t = useT();
  const { session } = useSession();
  const [leaving, leave] = useDisclosure();
  const [removing, removal] = useDisclosure();
  const signOut = useCommand(
    () => api.delete(`/users/${part(user.login)}/sessions`),
    () => notifications.show({ color: "green", message: t("users.sign_out_done", { name: user.name }) }),
  );
  const remove = useCommand(() => api.delete(`/users/${part(user.login)}`), onDone);
  return (
    <>
      <Divider />
      <Group justify="space-between">
        <Button
          variant="default"
          leftSection={<IconLogout size={16} />}
          loading={signOut.isPending}
          onClick={leave.open}
        >
          {t("users.sign_out")}
        </Button>
        {user.login !== session.login && (
          <Button
            variant="subtle"
            color="red"
            leftSection={<IconTrash size={16} />}
            loading={remove.isPending}
            onClick={removal.open}
          >
            {t("users.remove")}
          </Button>
        )}
      </Group>
      <Confirm
        opened={leaving}
        onClose={leave.close}
        onYes={() => signOut.mutate()}
        text={t("users.sign_out_sure", { name: user.name })}
        yes={t("users.sign_out")}
      />
      <Confirm
        opened={removing}
        onClose={removal.close}
        onYes={() => remove.mutate()}
        text={t("users.remove_sure", { name: user.name })}
        yes={t("users.remove")}
      />
    </>
  );
}

function draftOf(user: User | null): Draft {
  if (!user) return FRESH;
  const { login, name, roles, language, queues, skills, languages, phone, disabled } = user;
  return { ...FRESH, login, name, roles, language, queues, skills, languages, phone, disabled };
}

function newOf(draft: Draft): NewUser {
  const { login, name, password, roles, language, queues, skills, languages, phone, pin } = draft;
  return { login, name, password, roles, language, queues, skills, languages, phone, pin };
}

function changesOf(draft: Draft): UserChanges {
  const { name, roles, language, queues, skills, languages, phone, disabled } = draft;
  return {
    name,
    roles,
    language,
    queues,
    skills,
    languages,
    phone,
    disabled,
    ...(draft.password ? { password: draft.password } : {}),
    ...(draft.pin ? { pin: draft.pin } : {}),
  };
}
