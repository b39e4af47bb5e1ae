/** The undo of steps taken, in reverse order. Register before the step: an undo may find nothing to undo. */
export class Saga {
  private readonly undos: { name: string; undo: () => Promise<void> }[] = [];

  add(name: string, undo: () => Promise<void>): void {
    this.undos.push({ name, undo });
  }

  /** Runs every undo; each retries until it succeeds or a person has dealt with it (see Story), so none is hidden. */
  async compensate(): Promise<void> {
    for (let next = this.undos.pop(); next !== undefined; next = this.undos.pop()) await next.undo();
  }
}
