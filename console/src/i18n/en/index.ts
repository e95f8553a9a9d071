import { admin } from "./admin";
import { board } from "./board";
import { calls } from "./calls";
import { common } from "./common";
import { desk } from "./desk";

export const en = { ...admin, ...board, ...calls, ...common, ...desk } as const;
