import { common } from "./common";
import { desk } from "./desk";

export const en = { ...common, ...desk } as const;
