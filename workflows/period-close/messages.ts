import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { BooksView } from '../../contracts/books';
import type { ClockState } from '../../contracts/workflow-state';

export interface PeriodCloseInput {
  readonly entityId: string;
  readonly clock: ClockState;
}

/** A line of the entity needs books: look again, also where nothing was left to close. */
export const booksOpenedSignal = defineSignal<[{ at: string }]>('booksOpened');
export const booksQuery = defineQuery<BooksView | null>('books');
