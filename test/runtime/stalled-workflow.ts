/** A workflow with a planted bug: its task fails each time, and the run stalls. */
export async function stalled(): Promise<void> {
  throw new TypeError('planted bug');
}

export async function waiting(): Promise<void> {
  await new Promise(() => undefined);
}
