import { z } from 'zod';
import { factKinds } from '../../domain/notification/facts';
import { listOf, moment, pageQuery, text } from './common';

const endpointKind = z.enum(['webhook', 'slack', 'teams']);
const factKind = z.enum(factKinds);

export const endpointRequest = z.strictObject({
  kind: endpointKind.describe('webhook: signed JSON by Standard Webhooks; slack and teams: one line of text to their incoming webhook'),
  name: text.max(100),
  url: z.string().min(1).max(2000),
  facts: z
    .array(factKind)
    .min(1)
    .max(factKinds.length)
    .refine((facts) => new Set(facts).size === facts.length, 'must name each fact once'),
});
/** The secret is shown here and never again; null where the kind has none. */
export const endpointCreated = z.object({ id: z.string(), secret: z.string().nullable() });
export const endpointListSchema = listOf(
  z.object({
    id: z.string(),
    kind: endpointKind,
    name: z.string(),
    /** Of the address only this much: the rest may be a secret. */
    origin: z.string(),
    facts: z.array(factKind).readonly(),
    createdBy: z.string(),
    createdAt: moment,
    removedAt: moment.nullable(),
  }),
);
export const notificationPageQuery = z.strictObject(pageQuery);

export const deadLetterListSchema = listOf(
  z.object({
    id: z.string(),
    channel: z.enum(['mail', 'webhook', 'slack', 'teams']),
    endpointId: z.string().nullable(),
    userId: z.string().nullable(),
    facts: z.array(factKind).readonly(),
    attempts: z.int(),
    failure: z.string().nullable(),
    createdAt: moment,
    diedAt: moment,
  }),
);

/** How a person is told. A digest comes once a day, at an hour of the person's own time zone. */
export const notificationPreferenceSchema = z.strictObject({
  mail: z.boolean(),
  digest: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('daily'), hour: z.int().min(0).max(23) }),
  ]),
});
