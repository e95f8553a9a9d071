import type { Key, Plural } from "..";
import { common } from "./common";
import { desk } from "./desk";

export const pl: Record<Key, string | Plural> = { ...common, ...desk };
