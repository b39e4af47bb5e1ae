import { randomBytes } from 'node:crypto';
import { type TestDatabase } from './database';

export interface Login {
  readonly name: string;
  readonly url: string;
  /** Before the database is dropped; the connections of the login have to be closed. */
  drop(): Promise<void>;
}

/** A login of its own that has one role and no other right. */
export async function asLogin({ pool, url }: TestDatabase, role: string): Promise<Login> {
  const name = `login_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await pool.query(`create role ${name} login nosuperuser nocreaterole nocreatedb password '${password}'`);
  await pool.query(`grant ${role} to ${name}`);
  const own = new URL(url);
  Object.assign(own, { username: name, password });
  return { name, url: own.href, drop: async () => void (await pool.query(`drop role ${name}`)) };
}
