import { type BooksActivities } from '../../contracts/books';
import { ENGINE_ACTOR } from '../../contracts/names';
import { lockPeriod, movePeriod } from '../../db/books/periods';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, reviewKey } from '../lifecycle';
import { postBlock, showPositions } from './revenue';
import { booksView } from './view';

const auditOf = (entityId: string, action: string, subject: string, details: Record<string, unknown> = {}) => ({
  stream: `books/${entityId}`,
  entityId,
  action,
  subject,
  details,
});

/** Looks at the months of an entity and says what closes next. */
export function reviewBooks(deps: ActivityDeps): BooksActivities['reviewBooks'] {
  return ({ entityId, look, at }) =>
    lifecycleEffect(
      deps,
      { key: reviewKey('review-books', entityId, look), identity: { entityId }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const answer = await booksView(trx, workflowId, entityId, at);
        return { answer, audit: auditOf(entityId, answer.finished ? 'books.resting' : 'books.reviewed', entityId) };
      },
    );
}

/** Recognises the revenue of a month, block by block; the last block soft-closes the month. */
export function postRevenue(deps: ActivityDeps): BooksActivities['postRevenue'] {
  return ({ entityId, period, after, at }) =>
    lifecycleEffect(
      deps,
      { key: `post-revenue/${entityId}/${period}/${after ?? 'first'}`, identity: { entityId, period, after }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const state = await lockPeriod(trx, entityId, period);
        if (state !== 'open') return { violation: 'PeriodNotOpen', detail: `${period} of ${entityId} is ${state ?? 'not there'}` };
        const block = await postBlock(trx, entityId, period, after);
        if (block.after === null) await movePeriod(trx, entityId, period, 'soft-closed', { at, actor: ENGINE_ACTOR });
        const books = await booksView(trx, workflowId, entityId, at);
        const action = block.after === null ? 'period.soft-closed' : 'revenue.posted';
        return {
          answer: { after: block.after, books },
          audit: auditOf(entityId, action, `${entityId}/${period}`, { lines: block.lines, entries: block.entries, gaps: block.gaps }),
        };
      },
    );
}

/** Closes a month for good: positions show what came since the soft close, then nothing is posted there any more (R-132, R-133, I-10). */
export function closePeriod(deps: ActivityDeps): BooksActivities['closePeriod'] {
  return ({ entityId, period, at }) =>
    lifecycleEffect(
      deps,
      { key: `close-period/${entityId}/${period}`, identity: { entityId, period }, at, actor: ENGINE_ACTOR },
      async (trx, workflowId) => {
        const state = await lockPeriod(trx, entityId, period);
        if (state !== 'soft-closed')
          return { violation: 'PeriodNotSoftClosed', detail: `${period} of ${entityId} is ${state ?? 'not there'}` };
        const entries = await showPositions(trx, entityId, period);
        await movePeriod(trx, entityId, period, 'closed', { at, actor: ENGINE_ACTOR });
        const answer = await booksView(trx, workflowId, entityId, at);
        return { answer, audit: auditOf(entityId, 'period.closed', `${entityId}/${period}`, { entries }) };
      },
    );
}
