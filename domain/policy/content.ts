/** Fields of a body that say which version it is, not what it says. */
const HEADER: readonly string[] = ['version', 'validFrom', 'refines', 'approvedBy'];

/** What a policy says, without what says which version it is. */
export function contentOf(body: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body as object).filter(([name]) => !HEADER.includes(name)));
}
