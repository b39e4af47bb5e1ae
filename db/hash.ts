import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/canonical-json';

export { canonicalJson };

/** SHA-256 of a UTF-8 text, lower-case hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** SHA-256 of the canonical JSON of a value: equal for equal JSON, whatever the order of its keys. */
export function hashOf(value: unknown): string {
  return sha256(canonicalJson(value));
}

/** What stands in the audit log for a value that can be erased; without the salt nobody finds the value by trying (I-15). */
export function commitmentOf(salt: string, field: string, value: string): string {
  return sha256(canonicalJson([salt, field, value]));
}
