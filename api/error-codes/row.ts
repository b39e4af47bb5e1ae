/** How a code is answered. `action` tells the caller what to do next; `retryAfterSeconds` makes it a repeatable answer. */
export interface ErrorRow {
  readonly status: number;
  readonly title: string;
  readonly action: string;
  readonly retryAfterSeconds?: number;
}

type Said = Readonly<Record<string, readonly [title: string, action: string]>>;

/** The rows of some codes that are answered with one status. */
export function rows(status: number, said: Said, retryAfterSeconds?: number): [string, ErrorRow][] {
  return Object.entries(said).map(([code, [title, action]]) => [
    code,
    { status, title, action, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
  ]);
}

export const CORRECT = 'Correct the request and send it again.';
export const READ_AGAIN = 'Read the resource again before going on.';
export const ASK_FINANCE = 'Have finance complete the data, then repeat.';
export const ASK_OPERATOR = 'Tell an operator the request id.';
