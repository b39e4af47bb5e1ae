import { z } from 'zod';
import { type DealTerms, type LineTerms } from '../domain/deal/terms';
import { dealTermsSchema, lineTermsSchema } from './deal-closed';

const versioned = {
  earlier: z
    .array(z.object({ before: z.string(), version: z.int(), terms: z.record(z.string(), z.unknown()) }))
    .readonly()
    .optional(),
};
const [fixedFee, timeAndMaterials, managedService, retainer] = lineTermsSchema.options;
const rateCards = z.array(z.object({ cardId: z.string(), inForceFrom: z.string(), version: z.int() })).readonly();
const money = z.object({ minor: z.int(), currency: z.string() });
const addOns = z.array(z.object({ addOnId: z.string(), monthlyFee: money, serviceFrom: z.string(), serviceTo: z.string() })).readonly();

/** Terms of one line of a contract version: those of the deal, with what held before and what change orders have added. */
export const contractLineTermsSchema = z.discriminatedUnion('engagementModel', [
  fixedFee.extend(versioned),
  timeAndMaterials.extend({ ...versioned, rateCards: rateCards.optional() }),
  managedService.extend({ ...versioned, addOns: addOns.optional() }),
  retainer.extend(versioned),
]) satisfies z.ZodType<LineTerms>;

/** Terms of a contract version. */
export const contractTermsSchema: z.ZodType<DealTerms> = dealTermsSchema.extend({ lines: z.array(contractLineTermsSchema) });
