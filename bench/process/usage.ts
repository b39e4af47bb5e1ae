import { readdirSync, readFileSync } from 'node:fs';

/** Ticks per second of /proc; Linux has had 100 for decades. */
const HERTZ = 100;
const PAGE_BYTES = 4096;

interface Stat {
  readonly parent: number;
  readonly own: number;
  readonly reaped: number;
  readonly rssBytes: number;
}

/** CPU seconds (user and system) that a process has used; with `family`, also those of its children, ended ones included (Postgres). */
export function cpuSeconds(pid: number, family = false): number {
  const stat = statOf(pid);
  if (stat === null) throw new Error(`no process ${pid}: its CPU cannot be measured`);
  if (!family) return stat.own;
  const children = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [statOf(Number(name))] : []));
  return children.reduce((sum, child) => sum + (child?.parent === pid ? child.own : 0), stat.own + stat.reaped);
}

/** Resident memory in MB (a million bytes). */
export function rssMb(pid: number): number {
  return (statOf(pid)?.rssBytes ?? 0) / 1e6;
}

function statOf(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The name of the program stands in brackets and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number); // prettier-ignore
  const at = (index: number): number => fields[index] ?? 0;
  return { parent: at(1), own: (at(11) + at(12)) / HERTZ, reaped: (at(13) + at(14)) / HERTZ, rssBytes: at(21) * PAGE_BYTES };
}
