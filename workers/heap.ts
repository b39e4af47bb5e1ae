import { getHeapStatistics } from 'node:v8';
import { type Logger } from '../runtime/logger';

/** What a run holds while it is kept in memory, at most (D17). */
const CACHED_WORKFLOW_BYTES = 200_000;

/** Whoever keeps more runs in memory gives Node more of it: a heap that is full ends the process. */
export function warnOfSmallHeap(cachedWorkflows: number, log: Logger): void {
  const limit = getHeapStatistics().heap_size_limit;
  if (cachedWorkflows * CACHED_WORKFLOW_BYTES > limit / 2)
    log.warn({ cachedWorkflows, heapBytes: limit }, 'the heap is small for so many cached workflows: raise --max-old-space-size');
}
