/** What somebody may give anew where it was sent wrong: each by the contract at the door through which it came. */
export type Correctable = 'delivery-plan' | 'time-entries' | 'cost-forecasts' | 'bank-statements' | 'master-data' | 'deal-event';

const BY_API: readonly Correctable[] = ['delivery-plan', 'time-entries', 'cost-forecasts', 'bank-statements', 'master-data'];

/**
 * How an event of the inbox is corrected; null where it cannot be: a file is sent again, what a CRM only announces is put right there, and what
 * the engine tells itself is nobody's.
 */
export function correctableAs({ source, type }: { readonly source: string; readonly type: string }): Correctable | null {
  if (source === 'api') return BY_API.find((each) => each === type) ?? null;
  return source.startsWith('cloudevents:') ? 'deal-event' : null;
}

/** The event that an exception is about: by its name, or by what the step that is stuck was given. */
export function eventOfException(name: string, facts: Readonly<Record<string, string>>): string | null {
  return name.startsWith('inbox/') ? name.slice('inbox/'.length) : (facts['inboxEventId'] ?? null);
}
