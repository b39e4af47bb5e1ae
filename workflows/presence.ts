import { type SearchAttributePair, type SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { LifecycleView, WaitView } from '../contracts/workflow-state';
import { CustomerId, DueAt, EntityId, Stage, WaitsForKind, WaitsForRole } from './search-attributes';

/**
 * What an operator sees of a run: current details in Markdown and search attributes, both made from the waits that the last
 * effect committed to `open_wait` (D6). Attributes are written only when they change (D16).
 */
export class Presence {
  private shown = '';
  private revision = 0;

  /** Shows a view unless a newer one is shown already; answers whether it was taken. */
  show(view: ShownView): boolean {
    if (view.revision < this.revision) return false;
    const seen = this.shown;
    this.take(view);
    if (this.shown !== seen) upsertSearchAttributes(attributesOf(view));
    return true;
  }

  /** The run was started with the attributes of this view, see `shownAttributes`. */
  startedWith(view: ShownView): void {
    this.take(view);
  }

  private take(view: ShownView): void {
    this.revision = view.revision;
    setCurrentDetails(currentDetails(view));
    this.shown = JSON.stringify(attributesOf(view).map((pair) => [pair.key.name, pair.value]));
  }
}

type ShownView = LifecycleView & { readonly customerId?: string | null; readonly entityId?: string };

/** The attributes that a run is started with by whoever knows already what it shows first. */
export function shownAttributes(view: ShownView): SearchAttributePair[] {
  return attributesOf(view).filter((pair): pair is SearchAttributePair => pair.value !== null);
}

function attributesOf(view: ShownView): SearchAttributeUpdatePair[] {
  const first = view.waits[0];
  const pairs: SearchAttributeUpdatePair[] = [
    { key: Stage, value: view.stage },
    { key: WaitsForKind, value: first?.kind ?? null },
    { key: WaitsForRole, value: first?.role ?? null },
    { key: DueAt, value: first?.due ? new Date(first.due) : null },
  ];
  if (view.customerId) pairs.push({ key: CustomerId, value: view.customerId });
  if (view.entityId) pairs.push({ key: EntityId, value: view.entityId });
  return pairs;
}

/** Markdown for Temporal UI: the stage, then one line per wait. */
export function currentDetails(view: LifecycleView): string {
  const head = `**${view.stage}**`;
  return view.waits.length === 0 ? `${head}\n\nWaits for nobody.` : [head, '', ...view.waits.map(waitLine)].join('\n');
}

function waitLine(wait: WaitView): string {
  const due = wait.due === null ? 'no deadline' : `due ${wait.due}`;
  return `- waits for **${wait.role}** (${wait.kind} \`${wait.subject}\`): ${wait.asks}; since ${wait.since}, ${due}`;
}
