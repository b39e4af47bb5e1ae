/** The lines of an iCalendar file as they were before folding, for telling where something is wrong. Places are `/lines/<number>/<PROPERTY>`. */
export interface Lines {
  /** The place of the first line that `read` throws for, null where there is none. */
  firstWrong(read: (line: string) => void): string | null;
  /** The place of a property of the event of that index, or of its beginning. */
  ofEvent(index: number, property: string | null): string;
  last(): string;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

export function linesOf(text: string): Lines {
  const lines = unfolded(text);
  const begins = lines.flatMap(({ text: said }, index) => (/^BEGIN:VEVENT\s*$/i.test(said) ? [index] : []));
  return {
    firstWrong: (read) => {
      const wrong = lines.find((line) => !/^(?:BEGIN|END):/i.test(line.text) && throwsFor(read, line.text));
      return wrong === undefined ? null : `/lines/${wrong.number}`;
    },
    ofEvent: (index, property) => {
      const begin = begins[index] ?? 0;
      const event = lines.slice(begin, begins[index + 1]);
      const found = property === null ? undefined : event.find(({ text: said }) => nameOf(said) === property.toUpperCase());
      return `/lines/${(found ?? event[0])?.number ?? 1}${property === null ? '' : `/${property.toUpperCase()}`}`;
    },
    last: () => `/lines/${lines.at(-1)?.number ?? 1}`,
  };
}

/** A line that begins with a blank goes on with the one before. */
function unfolded(text: string): Line[] {
  const lines: { number: number; pieces: string[] }[] = [];
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const before = lines.at(-1);
    if (/^[ \t]/.test(written) && before !== undefined) before.pieces.push(written.slice(1));
    else if (written !== '') lines.push({ number: index + 1, pieces: [written] });
  }
  return lines.map(({ number, pieces }) => ({ number, text: pieces.join('') }));
}

function nameOf(line: string): string {
  return (/^[^:;]*/.exec(line)?.[0] ?? '').toUpperCase();
}

function throwsFor(read: (line: string) => void, line: string): boolean {
  try {
    read(line);
    return false;
  } catch {
    return true;
  }
}
