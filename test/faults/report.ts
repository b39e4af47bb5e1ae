import { type Checked } from './checks';
import { type Struck } from './kills';
import { TARGETS } from './stack';

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** One kill, with what it hit. */
export function lineOfKill({ kill, open, readyMs, workedMs }: Struck, number: number): string {
  const parts = [
    `${count(open.halfWay, 'transaction')} half-way`,
    `${open.committed.length} committed but not answered${named(open.committed)}`,
    `${count(open.running.length, 'activity', 'activities')} running${named(open.running)}`,
    count(open.workflowTasks, 'workflow task'),
    count(open.remoteActivities, 'remote activity', 'remote activities'),
    count(open.requests, 'request'),
    count(open.heldEvents, 'event being handed on', 'events being handed on'),
  ];
  const worked = workedMs === null ? 'nothing was left to do' : `next effect after ${seconds(workedMs)}`;
  return `kill ${number}: ${kill.target}, ${kill.moment}; open: ${parts.join(', ')}; ready after ${seconds(readyMs)}, ${worked}`;
}

/** Kills by kind with their recovery times. */
export function summaryOfKills(struck: readonly Struck[]): string[] {
  return TARGETS.map((target) => {
    const own = struck.filter(({ kill }) => kill.target === target);
    const worked = own.flatMap(({ workedMs }) => (workedMs === null ? [] : [workedMs]));
    const halfWay = own.filter(({ kill }) => kill.moment === 'half-way').length;
    return (
      `${target}: ${own.length} kills (${halfWay} half-way through effects, ${own.length - halfWay} between commit and answer), ` +
      `ready after ${spread(own.map(({ readyMs }) => readyMs))}, next effect after ${spread(worked)}`
    );
  });
}

export function lineOfCheck({ says, passed, found }: Checked): string {
  return `${passed ? '✓' : '✗'} ${says} (${found})`;
}

function spread(milliseconds: readonly number[]): string {
  if (milliseconds.length === 0) return '–';
  const sorted = [...milliseconds].sort((a, b) => a - b);
  return `${seconds(sorted[Math.floor(sorted.length / 2)] ?? 0)} (at most ${seconds(sorted.at(-1) ?? 0)})`;
}

function count(many: number, one: string, more = `${one}s`): string {
  return `${many} ${many === 1 ? one : more}`;
}

function named(names: readonly string[]): string {
  return names.length === 0 ? '' : ` (${[...new Set(names)].sort().join(', ')})`;
}
