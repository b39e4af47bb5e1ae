import { createHash } from 'node:crypto';

/** A history as it may stand in the replay corpus; `steps` is what the run did and was told, in order. */
export interface CapturedHistory {
  readonly type: string;
  readonly name: string;
  readonly steps: readonly string[];
  readonly content: Buffer;
}

type Json = Record<string, unknown>;

/** Who wrote an event and where code lay on that machine: of no use to a replay. Sticky queues are named after a process and its host. */
const TRACES = new Set(['identity', 'stackTrace', 'binaryChecksum']);

/** A history as JSON without what tells about the machine that it was captured on. */
export function withoutTraces(text: string): string {
  const kept = JSON.stringify(JSON.parse(text, (key, value: unknown) => (TRACES.has(key) ? undefined : value)));
  return kept.replace(/"\d+@[^"]*"/g, '"worker"');
}

/** The commands and messages of a history, in order, without what every run has anyway. */
export function stepsOf(text: string): string[] {
  const { events } = JSON.parse(text) as { events: Json[] };
  return events.flatMap((event) => {
    const kind = String(event.eventType).replace('EVENT_TYPE_', '').toLowerCase();
    if (/^workflow_task_|time_skipping|options_updated/.test(kind)) return [];
    const attributes = Object.entries(event).find(([key]) => key.endsWith('EventAttributes'))?.[1] as Json;
    return [`${kind} ${nameOf(attributes)}`.trim()];
  });
}

/** What the step is of: an activity, a child, a signal, an update; timers and attributes have no name of their own. */
function nameOf(attributes: Json): string {
  const details = (attributes.details as { data?: { payloads?: { data: string }[] } } | undefined)?.data?.payloads?.[0]?.data;
  const local =
    details === undefined ? undefined : (JSON.parse(Buffer.from(details, 'base64').toString('utf8')) as { activity_type?: string });
  const request = (attributes.acceptedRequest as { input?: { name?: string } } | undefined)?.input?.name;
  const typed = (attributes.activityType ?? attributes.workflowType) as { name?: string } | undefined;
  const failed = attributes.failure === undefined ? '' : ' failed';
  return `${local?.activity_type ?? typed?.name ?? request ?? (attributes.signalName as string | undefined) ?? ''}${failed}`;
}

/** The name of a shape: the same steps have the same name. */
export function shapeOf(steps: readonly string[]): string {
  return createHash('sha256').update(steps.join('\n')).digest('hex').slice(0, 8);
}

/**
 * The fewest histories (nearly: each next one is the one that shows most that is new) in which every step that was seen after another is
 * seen after it, beyond what the kept ones show. Stops at the limits, which count the kept ones too.
 */
export function covering(
  captured: readonly CapturedHistory[],
  kept: readonly CapturedHistory[],
  limits: { readonly histories: number; readonly bytes: number },
): CapturedHistory[] {
  const shown = new Set(kept.flatMap(pairsOf));
  let left = limits.histories - kept.length;
  let bytes = limits.bytes - kept.reduce((sum, { content }) => sum + content.length, 0);
  const chosen: CapturedHistory[] = [];
  for (; left > 0; left -= 1) {
    const gains = captured.map((history) => ({ history, gain: new Set(pairsOf(history).filter((pair) => !shown.has(pair))).size }));
    const best = gains
      .filter(({ history, gain }) => gain > 0 && history.content.length <= bytes)
      .sort((a, b) => b.gain - a.gain || a.history.content.length - b.history.content.length)[0]?.history;
    if (best === undefined) break;
    chosen.push(best);
    bytes -= best.content.length;
    for (const pair of pairsOf(best)) shown.add(pair);
  }
  return chosen;
}

function pairsOf({ type, steps }: CapturedHistory): string[] {
  return steps.map((step, index) => `${type}: ${steps[index - 1] ?? ''} > ${step}`);
}
