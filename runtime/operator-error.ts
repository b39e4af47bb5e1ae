/** Something that whoever starts the program can put right: the message says what is wrong and what to do, and needs no stack. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
  readonly exitCode: number = 1;
}

/** What a program says of the error that ends it, and its exit code; for anything that nobody foresaw, where it happened too. */
export function lastWords(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (error instanceof OperatorError) return { text: error.message, exitCode: error.exitCode };
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}
