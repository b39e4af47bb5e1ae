import { z } from 'zod';

export const linkParams = z.strictObject({ token: z.string().max(400) });

/** The form of the page, as a browser sends it: an empty field is no reason. */
export const linkDecisionRequest = z.strictObject({
  verdict: z.enum(['grant', 'refuse']),
  reason: z.string().trim().max(2000).optional(),
});
