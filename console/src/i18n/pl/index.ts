import type { Key, Plural } from "..";
import { board } from "./board";
import { common } from "./common";
import { desk } from "./desk";

export const pl: Record<Key, string | Plural> = { ...board, ...common, ...desk };
