import { z } from 'zod';

/**
 * An error as RFC 9457 tells it. `code` is stable and decides what a program does; `detail` is for a person; `action` says what to do
 * next. `errors` names every wrong field at once, `checks` what a process that is not ready lacks,
 * `currentTag` the ETag that stands now where If-Match named another. With `retryable` the same request with the same key may be sent again.
 */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  instance: z.string(),
  requestId: z.string(),
  action: z.string(),
  retryable: z.boolean().optional(),
  inboxEventId: z.string().optional(),
  currentTag: z.string().optional(),
  checks: z.record(z.string(), z.enum(['ok', 'failed'])).optional(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })).optional(),
});

export type Problem = z.infer<typeof problemSchema>;
