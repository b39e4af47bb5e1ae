import { type TestEngine } from './worker';

/** Takes the tax registrations of a bill-to account away, without which nothing can be agreed or billed; gives what puts them back. */
export async function loseTaxRegistrations(engine: TestEngine, billToId: string): Promise<() => Promise<void>> {
  const account = engine.db.updateTable('bill_to_account').where('id', '=', billToId);
  const { tax_registrations: known } = await engine.db
    .selectFrom('bill_to_account')
    .select('tax_registrations')
    .where('id', '=', billToId)
    .executeTakeFirstOrThrow();
  await account.set({ tax_registrations: '[]' }).execute();
  return async () => {
    await account.set({ tax_registrations: JSON.stringify(known) }).execute();
  };
}
