import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';

export interface PrivacyScan {
  readonly runs: number;
  /** Where a name or an e-mail address of the input stands. */
  readonly findings: readonly string[];
}

/**
 * Looks for people of the input, and for what was planted as written by people, in every history (payloads decoded), workflow id, search
 * attribute and log line.
 */
export async function scanForPeople(
  client: Client,
  folder: string,
  logLines: readonly string[],
  planted: readonly string[] = [],
): Promise<PrivacyScan> {
  const people = [...peopleOf(folder), ...planted.map((words) => words.toLowerCase())];
  const findings: string[] = [];
  const look = (place: string, text: string): void => {
    const lower = text.toLowerCase();
    for (const person of people) if (lower.includes(person)) findings.push(`${place}: ${person}`);
  };
  let runs = 0;
  for await (const run of client.workflow.list()) {
    runs += 1;
    look(`id of ${run.type}`, run.workflowId);
    look(`search attributes of ${run.workflowId}`, JSON.stringify(run.typedSearchAttributes.getAll()));
    look(`history of ${run.workflowId}`, await historyText(client, run.workflowId, run.runId));
  }
  for (const line of logLines) look('log', line);
  return { runs, findings: [...new Set(findings)] };
}

/** Everything that a history says, payloads included. */
export async function historyText(client: Client, workflowId: string, runId?: string): Promise<string> {
  return withPayloads(historyToJSON(await client.workflow.getHandle(workflowId, runId).fetchHistory()));
}

/** Names and addresses of users and people, and the addresses of the customers' accounts payable; in lower case. */
export function peopleOf(folder: string): string[] {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const { users } = JSON.parse(read('users.json')) as { users: { name: string; email: string }[] };
  const { customers } = JSON.parse(read('customers.json')) as { customers: { billToAccounts: { accountsPayableEmail?: string }[] }[] };
  const rows = read('people.csv').trim().split('\n').map((line) => line.split(',')); // prettier-ignore
  const column = (name: string): number => rows[0]?.indexOf(name) ?? -1;
  const found = [
    ...users.flatMap((user) => [user.name, user.email]),
    ...rows.slice(1).flatMap((row) => [row[column('name')], row[column('email')]]),
    ...customers.flatMap((customer) => customer.billToAccounts.map((account) => account.accountsPayableEmail)),
  ];
  return [...new Set(found.filter((text): text is string => text !== undefined && text !== '').map((text) => text.toLowerCase()))];
}

/** Payloads stand in a history as base64: they are read, too. */
export function withPayloads(json: string): string {
  const decoded = [...json.matchAll(/"data":\s*"([A-Za-z0-9+/=]+)"/g)].map((match) =>
    Buffer.from(match[1] ?? '', 'base64').toString('utf8'),
  );
  return `${json}\n${decoded.join('\n')}`;
}
