import { z } from 'zod';
import { moment, text } from './common';

/** What a second person says about what somebody asked for; a refusal says why. */
export const secondPersonDecision = z.strictObject({ verdict: z.enum(['grant', 'refuse']), reason: text.nullish() });

/** What became of it; null as long as nobody has decided. */
export const secondPersonDecided = {
  decidedBy: z.string().nullable(),
  decidedAt: moment.nullable(),
  decisionReason: z.string().nullable(),
};
