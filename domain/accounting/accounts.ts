/** What an account is; assets and expenses grow on the debit side, the others on the credit side. */
export type AccountKind = 'asset' | 'liability' | 'income' | 'expense';

export interface Account {
  readonly code: string;
  readonly name: string;
  readonly kind: AccountKind;
}

/**
 * The standard chart. Billing credits the contract balance and never revenue; revenue recognition debits the contract balance,
 * and its net per contract is shown as contract asset or contract liability at period end.
 */
export const ACCOUNTS = {
  bank: { code: '1000', name: 'Bank', kind: 'asset' },
  receivables: { code: '1100', name: 'Trade receivables', kind: 'asset' },
  contractAsset: { code: '1200', name: 'Contract assets', kind: 'asset' },
  contractBalance: { code: '1250', name: 'Contract balance (billing clearing)', kind: 'asset' },
  contractLiability: { code: '2100', name: 'Contract liabilities (deferred revenue)', kind: 'liability' },
  taxPayable: { code: '2200', name: 'Output tax payable', kind: 'liability' },
  customerOnAccount: { code: '2300', name: 'Customer payments on account', kind: 'liability' },
  revenue: { code: '4000', name: 'Revenue from services', kind: 'income' },
  bankCharges: { code: '6100', name: 'Bank charges', kind: 'expense' },
} as const satisfies Readonly<Record<string, Account>>;

/** True for a code of the chart. */
export function isAccountCode(code: string): boolean {
  return Object.values(ACCOUNTS).some((account) => account.code === code);
}
