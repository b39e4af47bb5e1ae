/** What a bare run does, in the order in which a run of the product did it. Plain JSON: it is built into the bundle of the bare workflows. */
export type Step =
  | { readonly do: 'local' }
  | { readonly do: 'remote' }
  | { readonly do: 'timer'; readonly timer: string; readonly milliseconds: number }
  | { readonly do: 'cancel-timer'; readonly timer: string }
  | { readonly do: 'await-timer'; readonly timer: string }
  | { readonly do: 'upsert'; readonly attributes: Attributes }
  | { readonly do: 'child'; readonly role: string; readonly abandoned: boolean; readonly attributes: Attributes }
  | { readonly do: 'await-child-start'; readonly role: string }
  | { readonly do: 'await-child-end'; readonly role: string }
  | { readonly do: 'signal'; readonly role: string; readonly signal: string }
  | { readonly do: 'await-signal-sent'; readonly signal: string }
  | { readonly do: 'await-signal' }
  | { readonly do: 'await-update' }
  | { readonly do: 'answer-update' };

/** Values of search attributes by name; moments are ISO strings, null takes a value away. */
export type Attributes = Readonly<Record<string, string | null>>;

export interface RunScript {
  readonly role: string;
  readonly steps: readonly Step[];
  /** Commits of the run. */
  readonly commits: number;
}

/** What the world sends to a run: an update, or its start; as soon as another run has committed so often. */
export interface OutsideMessage {
  readonly kind: 'start' | 'update' | 'signal';
  readonly role: string;
  readonly after: { readonly role: string; readonly commits: number } | null;
  readonly attributes?: Attributes;
  /** Commits of the product before the run was told: an inbox event is stored, claimed, taken in and settled. */
  readonly commits: number;
}

export interface LifecycleScript {
  readonly runs: readonly RunScript[];
  readonly messages: readonly OutsideMessage[];
  /** The lifecycle has ended when this run has made all its commits. */
  readonly ends: { readonly role: string; readonly commits: number };
}
