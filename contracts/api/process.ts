import { z } from 'zod';
import { instant, localDate, moment, outsideId } from './common';

/** What runs have in common with the words of the firm; approvals are told apart by `decision/<kind of subject>` as their task. */
export const lifecycles = [
  'deal',
  'change-order',
  'cancellation',
  'contract-line',
  'invoice',
  'correction',
  'project',
  'approval',
  'policy-change',
  'period-close',
  'intake',
  'exception',
] as const;

/** The longest period that is told at once. */
const MOST_DAYS = 366;
const DAY_MS = 86_400_000;

const whose = {
  lifecycle: z.enum(lifecycles).optional().describe('Only work of this lifecycle'),
  entityId: outsideId.optional().describe('Only work of this entity'),
};
const dayOrInstant = z.union([localDate, instant]);
const period = {
  from: dayOrInstant.optional().describe('A day of the entity whose work it is, or an instant; default 30 days before until'),
  until: dayOrInstant.optional().describe('Not in the period any more; default now'),
};

/** Days are compared as days of UTC, which is enough to tell a period that was turned round, or is too long, from one that was not. */
function isPeriod({ from, until }: { from?: string | undefined; until?: string | undefined }): boolean {
  if (from === undefined || until === undefined) return true;
  const days = (Date.parse(until) - Date.parse(from)) / DAY_MS;
  const leeway = from.length === until.length ? 0 : 1;
  return days >= -leeway && days <= MOST_DAYS + leeway;
}

const PERIOD_RULE = { path: ['until'], message: `must not be before from, and at most ${MOST_DAYS} days after it` };

export const openWorkQuery = z.strictObject(whose);
export const processPeriodQuery = z.strictObject({ ...whose, ...period }).refine(isPeriod, PERIOD_RULE);
export const approvalCycleQuery = z.strictObject({ entityId: whose.entityId, ...period }).refine(isPeriod, PERIOD_RULE);

const minutes = z.int();
const spread = z.object({ p50: minutes, p90: minutes, longest: minutes });
/** Minutes on the clock, and in the working time of the entity whose work it is. */
const durations = z.object({ elapsedMinutes: spread, workingMinutes: spread.nullable() });
/** Two decimals; null of nothing. */
const percent = z.string().nullable();
const ofPeriod = { asOf: moment, from: z.string(), until: z.string() };
const count = z.int();

export const openWorkSchema = z.object({
  asOf: moment,
  rows: z
    .array(
      z.object({
        lifecycle: z.string(),
        stage: z.string(),
        task: z.string(),
        /** Who is waited for; `run` where that is another run or a day, `customer` outside the firm. */
        role: z.string(),
        open: count,
        overdue: count,
        byAge: z.object({ upToADay: count, upToThreeDays: count, upToAWeek: count, upToThirtyDays: count, older: count }),
        oldest: z.object({ since: moment, elapsedMinutes: minutes, workingMinutes: minutes.nullable() }),
      }),
    )
    .readonly(),
});

export const handoffsSchema = z.object({
  ...ofPeriod,
  rows: z
    .array(
      z.object({
        lifecycle: z.string(),
        task: z.string(),
        /** Who had it before in the same run; null where the run itself asked, or several had it. */
        fromRole: z.string().nullable(),
        role: z.string(),
        handoffs: count,
        delay: durations.nullable(),
      }),
    )
    .readonly(),
});

const attainment = { kept: count, late: count, void: count, attainmentPercent: percent };
export const slaSchema = z.object({
  ...ofPeriod,
  lifecycles: z.array(z.object({ lifecycle: z.string(), ...attainment })).readonly(),
  rows: z.array(z.object({ lifecycle: z.string(), task: z.string(), role: z.string(), ...attainment })).readonly(),
});

export const breachesSchema = z.object({
  ...ofPeriod,
  rows: z
    .array(
      z.object({
        lifecycle: z.string(),
        task: z.string(),
        role: z.string(),
        cause: z.enum(['stuck', 'nobody-to-decide', 'held']),
        breaches: count,
        stillOpen: count,
        lateness: durations.nullable(),
      }),
    )
    .readonly(),
});

export const approvalCyclesSchema = z.object({
  ...ofPeriod,
  rows: z
    .array(z.object({ subjectKind: z.string(), approved: count, refused: count, withdrawn: count, cycleTime: durations.nullable() }))
    .readonly(),
});

export const reworkSchema = z.object({
  ...ofPeriod,
  rows: z.array(z.object({ lifecycle: z.string(), task: z.string(), done: count, reworked: count, reworkPercent: percent })).readonly(),
});
