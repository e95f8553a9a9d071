import { createContext, use } from "react";

import type { Session } from "../api/schema";

export type Role = Session["roles"][number];

const IMPLIED: Record<Role, Role[]> = {
  agent: ["agent"],
  supervisor: ["agent", "supervisor"],
  operator: ["operator"],
  administrator: ["agent", "supervisor", "operator", "administrator"],
};

/** Whether somebody with these roles may do what `role` may. */
export function may(roles: readonly Role[], role: Role): boolean {
  return roles.some((own) => IMPLIED[own].includes(role));
}

interface Signed {
  session: Session;
  may: (role: Role) => boolean;
  signOut: () => void;
}

export const SessionContext = createContext<Signed | null>(null);

export function useSession(): Signed {
  const signed = use(SessionContext);
  if (!signed) throw new Error("useSession is for pages behind the sign-in");
  return signed;
}
