// What the manager's server tells its pages. Plain shapes without imports: the pages are compiled apart, for browsers.
// Every text in here is ready to be shown: bounded, and without control or direction characters.

export type Tone = 'calm' | 'good' | 'warn' | 'bad';

/** Something a person should know on every page: the daemon is gone, the keychain is locked, cleartext is in use. */
export interface Banner {
  readonly tone: Tone;
  readonly text: string;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
  /** What is wrong with it; shown in red. */
  readonly flaw?: string | undefined;
}

export interface KeyPicture {
  readonly fingerprint: string;
  /** The fingerprint in groups of four, without `SHA256:`. */
  readonly groups: readonly string[];
  /** The OpenSSH-style picture, a line each. */
  readonly art: readonly string[];
}

export interface SessionRow {
  readonly id: string;
  readonly program: string;
  readonly user: string;
  readonly server: string;
  readonly address: string;
  readonly lock: 'locked' | 'open' | 'passed' | 'pending';
  /** `Encrypted`, `Not encrypted`, … */
  readonly protection: string;
  /** `TLS 1.3`; empty while there is none. */
  readonly mechanism: string;
  /** `files encrypted`, …; empty where there is nothing to say. */
  readonly data: string;
  readonly up: number;
  readonly down: number;
  readonly transfers: number;
  readonly startedAt: number;
  readonly warning: string;
}

export interface QuestionRow {
  readonly id: string;
  readonly tone: Tone;
  readonly title: string;
  readonly server: string;
  readonly waiting: number;
  readonly openedAt: number;
}

/** Bytes a second, both ways, at a time. */
export interface RateSample {
  readonly at: number;
  readonly up: number;
  readonly down: number;
}

/** What is pushed to every page that listens. */
export interface LiveView {
  readonly kind: 'live';
  readonly connected: boolean;
  readonly version: string;
  readonly banners: readonly Banner[];
  readonly headline: { readonly tone: Tone; readonly title: string; readonly text: string };
  readonly sessions: readonly SessionRow[];
  /** Sessions beyond those that are shown. */
  readonly hidden: number;
  readonly questions: readonly QuestionRow[];
  readonly rates: readonly RateSample[];
  /** The server's clock, for countdowns. */
  readonly now: number;
}

export interface KeyRow extends KeyPicture {
  readonly mechanism: string;
  readonly facts: readonly Fact[];
  readonly revoked: boolean;
}

export interface ServerCard {
  /** Tells the server what a change is about; opaque. */
  readonly id: string;
  readonly title: string;
  readonly label: string;
  readonly address: string;
  readonly port: number;
  readonly note: string;
  readonly tone: Tone;
  /** Given by the administrator: nothing of it can be changed here. */
  readonly fixed: boolean;
  readonly keys: readonly KeyRow[];
  /** Lower case, for the search. */
  readonly haystack: string;
}

export interface KeysView {
  readonly kind: 'keys';
  readonly banners: readonly Banner[];
  readonly servers: readonly ServerCard[];
}

export interface SettingRow {
  readonly key: string;
  readonly title: string;
  readonly meaning: string;
  readonly value: string;
  /** Set by the administrator in the file: locked. */
  readonly locked: boolean;
}

export interface PolicyView {
  readonly kind: 'policy';
  readonly file: string;
  readonly groups: readonly { readonly title: string; readonly rows: readonly SettingRow[] }[];
  readonly hosts: readonly { readonly match: string; readonly rows: readonly SettingRow[] }[];
  /** Rules for devices behind a gateway. */
  readonly clients: readonly { readonly match: string; readonly rows: readonly SettingRow[] }[];
}

export interface HistoryRow {
  readonly at: number;
  readonly kind: 'secured' | 'cleartext' | 'asked' | 'answered' | 'refused' | 'cut' | 'keys';
  readonly tone: Tone;
  readonly title: string;
  readonly server: string;
  readonly program: string;
  readonly text: string;
  readonly fingerprint: string;
}

export interface HistoryView {
  readonly kind: 'history';
  readonly rows: readonly HistoryRow[];
}

export interface CheckRow {
  readonly check: string;
  readonly tone: Tone;
  readonly text: string;
  readonly todo: string;
}

export interface CheckupView {
  readonly kind: 'checkup';
  readonly ranAt: number;
  readonly rows: readonly CheckRow[];
}

/** What a person may answer now, and why not where they may not. */
export interface AnswersView {
  readonly always: { readonly allowed: boolean; readonly label: string; readonly why: string };
  readonly once: { readonly allowed: boolean; readonly label: string };
  /** The name that must be typed before the answer yes is there at all; empty: none. */
  readonly typedName: string;
  readonly confirmLabel: string;
  readonly paste: boolean;
}

export interface QuestionPage {
  readonly kind: 'question';
  readonly id: string;
  readonly look: 'new' | 'known' | 'changed' | 'downgraded' | 'cleartext';
  readonly title: string;
  readonly sentence: string;
  readonly advice: string;
  readonly facts: readonly Fact[];
  readonly key: KeyPicture | undefined;
  readonly earlier: readonly (KeyPicture & { readonly facts: readonly Fact[] })[];
  readonly certificate: readonly Fact[];
  readonly flaws: readonly string[];
  readonly answers: AnswersView;
  readonly program: string;
  readonly waiting: number;
  readonly refused: number;
  readonly deadline: number | undefined;
  readonly now: number;
}

/** The question is not there any more. */
export interface QuestionGone {
  readonly kind: 'gone';
  readonly title: string;
  readonly text: string;
}

/** A change was made; `undo` names what `POST /api/undo` takes back. */
export interface DoneView {
  readonly kind: 'done';
  readonly text: string;
  readonly undo?: string | undefined;
  readonly deadline?: number | undefined;
}

export interface ErrorView {
  readonly kind: 'error';
  readonly text: string;
}

export type Reply =
  | LiveView
  | KeysView
  | PolicyView
  | HistoryView
  | CheckupView
  | QuestionPage
  | QuestionGone
  | DoneView
  | ErrorView;
