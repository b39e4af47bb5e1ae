import { unknownAccounts } from '../db/reads/payments';
import { parseCamt053 } from '../integrations/bank/camt053';
import { type BankStatementFile } from '../integrations/bank/statement';
import { type ApiDeps } from './deps';
import { ApiError } from './errors';

/** A bank file as it is read at the door, or all that is wrong with it. */
export function readBankFile(bytes: Buffer): BankStatementFile {
  if (bytes.length === 0) throw new ApiError('StatementInvalid', 'the body is empty');
  const read = parseCamt053(bytes);
  if (read.kind === 'read') return read.file;
  const errors = read.violations.map((each) => ({ pointer: each.path ?? '', code: each.violation, detail: each.detail }));
  throw new ApiError('StatementInvalid', `${errors.length} ${errors.length === 1 ? 'fault' : 'faults'}`, { errors });
}

export async function refuseForeignAccounts({ db }: Pick<ApiDeps, 'db'>, { statements }: BankStatementFile): Promise<void> {
  const foreign = await unknownAccounts(
    db,
    statements.map((each) => each.account),
  );
  if (foreign.length === 0) return;
  const errors = statements.flatMap((each, index) =>
    foreign.includes(each.account)
      ? [{ pointer: `/BkToCstmrStmt/Stmt[${index + 1}]/Acct`, code: 'BankAccountUnknown', detail: 'no entity of ours has this account' }]
      : [],
  );
  throw new ApiError('StatementInvalid', 'an account is not ours', { errors });
}
