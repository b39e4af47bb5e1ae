import { addMoney, zeroMoney, type Money } from '../../domain/money';
import { plus, sum } from '../../domain/decimal';
import { type RetainerLine } from '../../domain/deal/terms';
import { type BilledHours, type OverageFacts } from '../../domain/engagement/follow-up';
import { type BillingPlanItem, type ItemisedDraftLine, type PlanContext, type TimeFact } from '../../domain/engagement/model';
import { overageMonths } from '../../domain/engagement/overage';
import { retainer } from '../../domain/engagement/retainer';
import { accepted, billingFacts, newYork } from './deal-builders';

export const context: PlanContext = { shortCode: 'TST', sellingEntityCalendar: newYork, cutOffDay: 6, billingLeadWorkingDays: 3 };

/** Time that becomes known at a moment, which may be later than its approval. */
export interface Delivered extends TimeFact {
  readonly knownAt: string;
}

export interface Document {
  readonly item: BillingPlanItem;
  readonly line: ItemisedDraftLine;
}

/** Plays the overage of a retainer month by month: what is known when a run takes place, what is planned after it, what finance waives. */
export class OverageBook {
  readonly documents: Document[] = [];
  readonly items: (BillingPlanItem & { state: string })[];
  readonly waived: Record<string, string> = {};

  constructor(
    readonly line: RetainerLine,
    readonly deliveries: readonly Delivered[],
  ) {
    const plan = accepted(retainer.plan(line, context)).filter((item) => item.kind === 'retainer-overage');
    this.items = plan.map((item) => ({ ...item, state: 'planned' }));
  }

  /** Plays on to a moment: every run that is due, and after each, and after each delivery, what follows from it. */
  playTo(moment: string): this {
    const knownAt = this.deliveries.map((each) => each.knownAt);
    for (const at of [...new Set(knownAt)].filter((each) => each <= moment).sort()) this.runsUntil(at).plan(at);
    return this.runsUntil(moment);
  }

  /** Plays until nothing is planned any more. */
  playOut(): this {
    this.playTo('2027-01-01T00:00:00Z');
    while (this.due('9999') !== undefined) this.runsUntil(this.due('9999')?.draftAt ?? '');
    return this;
  }

  waive(period: string, hours: string): this {
    this.waived[period] = plus(this.waived[period] ?? '0', hours);
    return this;
  }

  open(period: string, at: string): string {
    return this.months(at).find((month) => month.period === period)?.open ?? '';
  }

  months(at: string) {
    return overageMonths(this.line, { time: this.known(at), overage: this.facts() });
  }

  references(): string[] {
    return this.documents.map(({ item }) => item.reference);
  }

  billedOf(period: string): { hours: string; amount: Money } {
    const own = this.documents.filter(({ item }) => item.period === period);
    return {
      hours: sum(own.map(({ line }) => line.quantity ?? '0')),
      amount: own.reduce(
        (total, { line }) => addMoney(total, { minor: line.amountMinor, currency: total.currency }),
        zeroMoney(this.line.currency),
      ),
    };
  }

  facts(): OverageFacts {
    const runs = this.items.flatMap((item) => (item.state === 'planned' ? [] : [{ period: item.period ?? '', cutOff: draftAt(item) }]));
    return { billed: this.billed(), waived: this.waived, runs };
  }

  /** The parts of entries on documents, numbered as they were billed. */
  billed(): BilledHours[] {
    const parts: BilledHours[] = [];
    for (const { itemId, hours } of this.documents.flatMap(({ line }) => line.items)) {
      const [entryId = '', part = '1'] = itemId.split('/');
      parts.push({ entryId, part: Number(part), hours: hours ?? '0' });
    }
    return parts;
  }

  known(at: string): TimeFact[] {
    return this.deliveries.filter((each) => each.knownAt <= at);
  }

  plan(at: string): this {
    const found = accepted(
      retainer.followUp?.(this.line, {
        items: this.items,
        time: this.known(at),
        overage: this.facts(),
        fees: [],
        context,
        at,
      }) ?? { items: [], open: [] },
    );
    this.items.push(...found.items.map((item) => ({ ...item, state: 'planned' })));
    return this;
  }

  private runsUntil(moment: string): this {
    for (let next = this.due(moment); next !== undefined; next = this.due(moment)) {
      const { item } = next;
      const facts = billingFacts({ time: this.known(next.draftAt), overage: this.facts() });
      const draft = accepted(retainer.bill(this.line, item, facts));
      item.state = draft === null ? 'nothing-to-bill' : 'billed';
      const line = draft?.lines[0];
      if (line !== undefined) this.documents.push({ item, line: line as ItemisedDraftLine });
      this.plan(next.draftAt);
    }
    return this;
  }

  private due(moment: string) {
    const planned = this.items.filter((item) => item.state === 'planned').map((item) => ({ item, draftAt: draftAt(item) }));
    return planned.sort((a, b) => (a.draftAt < b.draftAt ? -1 : 1)).find((each) => each.draftAt <= moment);
  }
}

function draftAt(item: BillingPlanItem): string {
  return item.trigger.kind === 'moment' ? item.trigger.draftAt : '';
}
