import { continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import type { BooksView, RevenueBlock } from '../../contracts/books';
import type { Month } from '../../domain/deal/terms';
import { openLifecycle, settled } from '../lifecycle';
import { booksOpenedSignal, booksQuery, type PeriodCloseInput } from './messages';

/**
 * The books of a legal entity, month after month: recognise the revenue of all its lines and soft-close, then close. Ends when every line
 * has ended and every month with an entry is closed; the next deal of the entity starts it again.
 */
export async function periodClose(input: PeriodCloseInput): Promise<void> {
  const { entityId } = input;
  const { clock, story, presence } = openLifecycle(input.clock);
  let view: BooksView | null = null;
  let stale = true;

  setHandler(booksQuery, () => view);
  setHandler(booksOpenedSignal, ({ at }) => {
    clock.follow(at);
    stale = true;
  });

  /** Goes on with the newest: what is answered once more may be older than what is known. */
  function show(next: BooksView): BooksView {
    if (presence.show(next)) view = next;
    return view ?? next;
  }

  async function review(): Promise<BooksView> {
    stale = false;
    return show(await story.step('reviewBooks', { entityId, look: story.look(), at: clock.now() }, 'look at the months'));
  }

  function post(period: Month, after: string | null): Promise<RevenueBlock> {
    return story.step('postRevenue', { entityId, period, after, at: clock.now() }, `revenue of ${period}`);
  }

  async function softClose(period: Month): Promise<BooksView> {
    let block = await post(period, null);
    while (block.after !== null) block = await post(period, block.after);
    return show(block.books);
  }

  for (let books = await review(); ;) {
    if (books.finished) {
      await settled();
      // A line that came at this very moment: this run still runs, so no other is started for it.
      if (!stale) return;
      books = await review();
      continue;
    }
    if (workflowInfo().continueAsNewSuggested) {
      await settled();
      await continueAsNew<typeof periodClose>({ entityId, clock: clock.state() });
    }
    const { next } = books;
    const due = await clock.wait(() => stale, next?.at ?? null, next ? `${next.action} ${next.period}` : 'next month');
    if (due === 'met' || !next) books = await review();
    else if (next.action === 'soft-close') books = await softClose(next.period);
    else books = show(await story.step('closePeriod', { entityId, period: next.period, at: clock.now() }, `close ${next.period}`));
  }
}
