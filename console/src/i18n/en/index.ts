import { board } from "./board";
import { common } from "./common";
import { desk } from "./desk";

export const en = { ...board, ...common, ...desk } as const;
