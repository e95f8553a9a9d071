import {
  IconActivity, IconHeadset, IconHistory, IconKey, IconPhoneCall, IconRecordMail, IconShieldSearch,
  IconUsers,
} from "@tabler/icons-react"; // prettier-ignore
import { lazy } from "react";

import type { PlainKey } from "../i18n";
import type { Role } from "../session/session";

export interface Page {
  path: string;
  label: PlainKey;
  icon: typeof IconUsers;
  /** Any of these roles may see it. */
  roles: Role[];
  group: PlainKey;
  keys: string;
}

export const PAGES: Page[] = [
  { path: "/desk", label: "nav.desk", icon: IconHeadset, roles: ["agent"], group: "nav.work", keys: "g d" },
  { path: "/callbacks", label: "nav.callbacks", icon: IconPhoneCall, roles: ["agent"], group: "nav.work", keys: "g k" },
  {
    path: "/board",
    label: "nav.board",
    icon: IconActivity,
    roles: ["supervisor"],
    group: "nav.supervise",
    keys: "g b",
  },
  {
    path: "/calls",
    label: "nav.calls",
    icon: IconHistory,
    roles: ["supervisor", "operator"],
    group: "nav.history",
    keys: "g c",
  },
  {
    path: "/voicemails",
    label: "nav.voicemails",
    icon: IconRecordMail,
    roles: ["agent"],
    group: "nav.history",
    keys: "g v",
  },
  {
    path: "/users",
    label: "nav.users",
    icon: IconUsers,
    roles: ["administrator"],
    group: "nav.administer",
    keys: "g u",
  },
  {
    path: "/tokens",
    label: "nav.tokens",
    icon: IconKey,
    roles: ["administrator"],
    group: "nav.administer",
    keys: "g t",
  },
  {
    path: "/audit",
    label: "nav.audit",
    icon: IconShieldSearch,
    roles: ["administrator"],
    group: "nav.administer",
    keys: "g l",
  },
];

export const Desk = lazy(() => import("../desk/DeskPage"));
export const Callbacks = lazy(() => import("../desk/CallbacksPage"));
export const Board = lazy(() => import("../board/BoardPage"));
export const Live = lazy(() => import("../live/LivePage"));
export const Calls = lazy(() => import("../calls/CallsPage"));
export const Call = lazy(() => import("../calls/CallPage"));
export const Voicemails = lazy(() => import("../calls/VoicemailsPage"));
export const Users = lazy(() => import("../admin/UsersPage"));
export const Tokens = lazy(() => import("../admin/TokensPage"));
export const Audit = lazy(() => import("../admin/AuditPage"));
