import { sql, type Transaction } from 'kysely';
import { DatabaseError } from 'pg';
import { type MasterData } from '../contracts/master-data';
import { minorOf } from './master-data-amount';
import { bring, type TableChanges } from './master-data-changes';
import { type Violation } from '../domain/violation';
import { type DB } from './types';

/** Vendors with their compliance documents, and which documents a vendor of a country must have: that list is the one of the file. */
export async function loadVendors(trx: Transaction<DB>, data: MasterData): Promise<Record<string, TableChanges>> {
  const file = data['vendors.json'];
  if (file === undefined) return {};
  const vendors = await bring(
    trx,
    'vendor',
    ['id'],
    file.vendors.map((vendor) => ({
      id: vendor.id,
      name: vendor.name,
      country: vendor.country,
      currency: vendor.currency,
      legal_form: vendor.legalForm,
      tax_id: vendor.taxId ?? null,
      payment_terms_days: vendor.paymentTermsDays,
    })),
  );
  const documents = await bring(
    trx,
    'vendor_document',
    ['vendor_id', 'document_type', 'reference'],
    file.vendors.flatMap((vendor) =>
      vendor.complianceDocuments.map((document) => ({
        vendor_id: vendor.id,
        document_type: document.type,
        reference: document.reference,
        valid_from: document.validFrom,
        valid_until: document.validUntil,
        renewed_by: document.renewedBy ?? null,
      })),
    ),
  );
  const required = Object.entries(file.requiredDocuments).flatMap(([key, types]) =>
    [...new Set(types)].map((document_type) => ({ country: key === 'default' ? '*' : key, document_type })),
  );
  const named = required.map((each) => `${each.country} ${each.document_type}`);
  await trx
    .deleteFrom('required_vendor_document')
    .where(sql<string>`country || ' ' || document_type`, 'not in', ['', ...named])
    .execute();
  return {
    vendor: vendors,
    vendor_document: documents,
    required_vendor_document: await bring(trx, 'required_vendor_document', ['country', 'document_type'], required),
  };
}

/** Rate cards, uplifts, expense policies, labour rules and bookings: new rows are added, changed ones made equal, others stay (S-04). */
export async function loadWork(trx: Transaction<DB>, data: MasterData): Promise<Record<string, TableChanges>> {
  return {
    ...(await loadRates(trx, data)),
    expense_policy: await bring(
      trx,
      'expense_policy',
      ['id'],
      (data['expense-policies.csv'] ?? []).map((policy) => ({
        id: policy.policy_id,
        country: policy.country,
        category: policy.category,
        currency: policy.currency,
        unit: policy.unit,
        limit_per_unit_minor: minorOf(policy.limit_per_unit, policy.currency),
        fixed_rate: policy.fixed_rate,
        receipt_above_minor: minorOf(policy.receipt_above, policy.currency),
        billable_to_customer: policy.billable_to_customer,
        valid_from: policy.valid_from,
        valid_to: policy.valid_to,
        note: policy.note,
      })),
    ),
    labour_rule: await bring(trx, 'labour_rule', ['id'], (data['labour-rules.json']?.rules ?? []).map(labourRow)),
    booking: await bring(
      trx,
      'booking',
      ['id'],
      (data['bookings.csv'] ?? []).map(({ booking_id: id, project, ...booking }) => ({ id, project_code: project, ...booking })),
    ),
  };
}

async function loadRates(trx: Transaction<DB>, data: MasterData): Promise<Record<string, TableChanges>> {
  const rates = data['rate-cards.csv'] ?? [];
  const cards = new Map(
    rates.map((rate) => [
      JSON.stringify([rate.card_id, rate.card_version]),
      { id: rate.card_id, version: rate.card_version, scope: rate.scope, scope_id: rate.scope_id },
    ]),
  );
  return {
    rate_card: await bring(trx, 'rate_card', ['id', 'version'], [...cards.values()]),
    rate: await bring(
      trx,
      'rate',
      ['id'],
      rates.map(({ rate_id: id, ...rate }) => ({ id, ...rate })),
    ),
    uplift: await bring(
      trx,
      'uplift',
      ['deal_alias', 'line_id', 'kind', 'valid_from'],
      (data['uplifts.csv'] ?? []).map(({ contract_number, ...uplift }) => ({ deal_alias: contract_number ?? '', ...uplift })),
    ),
  };
}

/**
 * Files are checked among themselves; what stays of earlier loads may still hold on the same days as what they bring. Then the load is
 * refused whole, because nobody could say which rate prices the work (S-04).
 */
export async function refuseAmbiguous(trx: Transaction<DB>): Promise<Violation | null> {
  try {
    await sql`set constraints rate_unambiguous, uplift_unambiguous, expense_policy_unambiguous immediate`.execute(trx);
    return null;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== EXCLUSION_VIOLATION) throw error;
    return { violation: 'MasterDataInvalid', detail: `two rows of ${error.table} hold on the same days: ${error.detail}` };
  }
}

const EXCLUSION_VIOLATION = '23P01';

type LabourRule = NonNullable<MasterData['labour-rules.json']>['rules'][number];

function labourRow(rule: LabourRule) {
  const {
    id,
    jurisdiction,
    appliesTo,
    refines,
    source,
    text,
    dailyMaxHours,
    weeklyMaxHours,
    weeklyAverageMaxHours,
    referenceWeeks,
    weeklyNormHours,
    monthlyOvertimeMaxHours,
    dailyRestHours,
    ...other
  } = rule;
  return {
    id,
    jurisdiction,
    applies_to: appliesTo,
    refines: refines ?? null,
    source,
    text,
    daily_max_hours: dailyMaxHours ?? null,
    weekly_max_hours: weeklyMaxHours ?? null,
    weekly_average_max_hours: weeklyAverageMaxHours ?? null,
    reference_weeks: referenceWeeks ?? null,
    weekly_norm_hours: weeklyNormHours ?? null,
    monthly_overtime_max_hours: monthlyOvertimeMaxHours ?? null,
    daily_rest_hours: dailyRestHours ?? null,
    other: JSON.stringify(other),
  };
}
