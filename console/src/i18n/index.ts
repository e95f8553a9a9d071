import { createContext, use } from "react";

import { en } from "./en";
import { pl } from "./pl";

export type Language = "pl" | "en";

/** Forms of a counted thing, by the language's own plural rules (Polish: one, few, many, other). */
export interface Plural {
  one: string;
  few?: string;
  many?: string;
  other: string;
}

export type Key = keyof typeof en;

type Names<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type ParamsOf<Message> = Names<Message extends { other: infer Other } ? Other : Message>;
type Args<K extends Key> = [ParamsOf<(typeof en)[K]>] extends [never]
  ? []
  : [params: Record<ParamsOf<(typeof en)[K]>, string | number>];

/** The messages that need no values. */
export type PlainKey = { [K in Key]: Args<K> extends [] ? K : never }[Key];

export type Translate = <K extends Key>(key: K, ...args: Args<K>) => string;

const MESSAGES: Record<Language, Record<Key, string | Plural>> = { en, pl };
const RULES = { en: new Intl.PluralRules("en"), pl: new Intl.PluralRules("pl") };

export function translator(language: Language): Translate {
  return (key, ...args) => {
    const message = MESSAGES[language][key];
    const params = (args[0] ?? {}) as Record<string, string | number>;
    return fill(typeof message === "string" ? message : form(message, language, Number(params["n"])), params);
  };
}

function form(message: Plural, language: Language, count: number): string {
  const rule = RULES[language].select(count);
  return message[rule as keyof Plural] ?? message.other;
}

function fill(text: string, params: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

interface Spoken {
  language: Language;
  t: Translate;
}

export const LanguageContext = createContext<Spoken>({ language: "en", t: translator("en") });

export function useLanguage(): Spoken {
  return use(LanguageContext);
}

export function useT(): Translate {
  return use(LanguageContext).t;
}

/** The words for one of the server's stable words, or that word made readable where none are known. */
export function named(t: Translate, group: string, word: string): string {
  const key = `${group}.${word}`;
  return key in en ? (t as (key: string) => string)(key) : word.replaceAll("_", " ");
}

const STORED = "voicebot.language";

export function firstLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "pl" || stored === "en") return stored;
  return navigator.language.startsWith("pl") ? "pl" : "en";
}

export function keepLanguage(language: Language): void {
  localStorage.setItem(STORED, language);
  document.documentElement.lang = language;
}
