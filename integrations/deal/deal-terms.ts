import { type DealAlias, type DealTerms, type LineTerms } from '../../domain/deal/terms';
import { type RawLine, readLine, refuseRepeated } from './line-terms';
import { type FieldErrors, isAbsent, member, type RawField } from './raw-field';
import { type Readers } from './readers';

/** The head of a deal as a CRM sent it, and its lines; `place` is where the list of lines should stand. */
export interface RawDeal {
  readonly name: RawField;
  readonly contractNumber: RawField;
  readonly shortCode: RawField;
  readonly projectCode: RawField;
  readonly signedDate: RawField;
  readonly startDate: RawField;
  readonly endDate: RawField;
  readonly customerId: RawField;
  readonly leadEntity: RawField;
  readonly paymentTermsDays: RawField;
  readonly purchaseOrderRequired: RawField;
  readonly lateInterestPercent: RawField;
  readonly customerRateCard: RawField;
  readonly deemedAcceptanceBusinessDays: RawField;
  readonly sowDocumentId: RawField;
  readonly sowSha256: RawField;
  readonly place: RawField;
  readonly lines: readonly RawLine[];
}

/**
 * The terms of a deal from any CRM: the same deal gives the same terms, lines sorted by id with numbers counted (`L2` before `L10`),
 * because no CRM promises an order. The header amount of a CRM is a sales estimate and no term. Wrong fields go to `errors`.
 */
export function readTerms(raw: RawDeal, read: Readers, errors: FieldErrors): DealTerms {
  const startDate = read.date(raw.startDate);
  const endDate = read.date(raw.endDate);
  if (endDate < startDate) errors.add(raw.endDate, 'EndBeforeStart', `must not lie before ${startDate}`);
  return {
    name: read.text(raw.name),
    contractNumber: read.text(raw.contractNumber),
    shortCode: read.token(raw.shortCode),
    projectCode: read.token(raw.projectCode),
    signedDate: read.date(raw.signedDate),
    startDate,
    endDate,
    customerId: read.optional(raw.customerId, read.token),
    leadEntityId: read.token(raw.leadEntity),
    paymentTermsDays: read.integer(raw.paymentTermsDays, 0),
    purchaseOrderRequired: read.flag(raw.purchaseOrderRequired),
    lateInterestPercentPerYear: read.percent(raw.lateInterestPercent),
    customerRateCardId: read.optional(raw.customerRateCard, read.token),
    deemedAcceptanceBusinessDays: read.optional(raw.deemedAcceptanceBusinessDays, (field) => read.integer(field, 0)),
    statementOfWork: readStatementOfWork(raw, read, errors),
    lines: readLines(raw, read, errors),
  };
}

/** The deal's own name in its source first, then what else it is called, each once (D7). */
export function aliasesOf(own: DealAlias, others: readonly DealAlias[]): DealAlias[] {
  const all = [own, ...others].filter((alias) => alias.externalId !== '');
  return all.filter(
    (alias, index) => all.findIndex((first) => first.source === alias.source && first.externalId === alias.externalId) === index,
  );
}

function readStatementOfWork(raw: RawDeal, read: Readers, errors: FieldErrors): DealTerms['statementOfWork'] {
  if (isAbsent(raw.sowDocumentId) && isAbsent(raw.sowSha256)) return null;
  const sha256 = typeof raw.sowSha256.value === 'string' ? raw.sowSha256.value.toLowerCase() : '';
  if (isAbsent(raw.sowSha256)) errors.add(raw.sowSha256, 'Required', 'is required with a statement of work');
  else if (!/^[0-9a-f]{64}$/.test(sha256)) errors.add(raw.sowSha256, 'NotASha256', 'must be 64 hexadecimal digits');
  return { documentId: read.text(raw.sowDocumentId), sha256 };
}

function readLines(raw: RawDeal, read: Readers, errors: FieldErrors): LineTerms[] {
  if (raw.lines.length === 0 && !errors.list.some((error) => error.pointer === raw.place.pointer))
    errors.add(raw.place, 'TermsMissing', 'a deal needs at least one line');
  const lines = raw.lines.map((line) => readLine(line, read, errors));
  refuseRepeated(
    lines.map((line, index) => [line.lineId, raw.lines[index]!.lineId]),
    'LineRepeated',
    errors,
  );
  refuseRepeated(raw.lines.flatMap(milestoneIds), 'MilestoneRepeated', errors);
  return lines.sort((a, b) => compareIds(a.lineId, b.lineId));
}

/** Milestones are named without their line when they are delivered, so their ids differ within the deal. */
function milestoneIds(line: RawLine): (readonly [string, RawField])[] {
  if (line.engagementModel.value !== 'fixed-fee' || !Array.isArray(line.milestones.value)) return [];
  return line.milestones.value.map((_, index) => {
    const id = member(member(line.milestones, index), 'id');
    return [typeof id.value === 'string' ? id.value : '', id];
  });
}

function compareIds(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const [one, other] = [left[index]!, right[index]!];
    if (one !== other) return typeof one === 'number' && typeof other === 'number' ? one - other : String(one) < String(other) ? -1 : 1;
  }
  return left.length - right.length;
}

function parts(id: string): (string | number)[] {
  return (id.match(/\d+|\D+/g) ?? []).map((part) => (/^\d/.test(part) ? Number(part) : part));
}
