import { type ClosingStep } from '../domain/accounting/period';
import { type Instant, type Month } from '../domain/deal/terms';
import { type LifecycleView } from './workflow-state';

/** Where the books of an entity stand: what closes next and when; `finished` when nothing is left to close. */
export interface BooksView extends LifecycleView {
  readonly entityId: string;
  readonly next: ClosingStep | null;
  readonly finished: boolean;
}

/** `after` is the last line of this block; null when it was the last block and the month is soft-closed. */
export interface RevenueBlock {
  readonly after: string | null;
  readonly books: BooksView;
}

/** Effects of the period close of an entity. */
export interface BooksActivities {
  /** Opens the months up to now and says what closes next; lets the books rest when nothing is left. */
  reviewBooks(input: { entityId: string; look: string; at: Instant }): Promise<BooksView>;
  /** Recognises a month's revenue of a block of lines; with the last block the month is soft-closed. */
  postRevenue(input: { entityId: string; period: Month; after: string | null; at: Instant }): Promise<RevenueBlock>;
  /** Nothing is posted into the month from now on (I-10). */
  closePeriod(input: { entityId: string; period: Month; at: Instant }): Promise<BooksView>;
}
