import type { Key, Plural } from "..";
import { admin } from "./admin";
import { board } from "./board";
import { calls } from "./calls";
import { common } from "./common";
import { desk } from "./desk";

export const pl: Record<Key, string | Plural> = { ...admin, ...board, ...calls, ...common, ...desk };
