const ID = /^[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?$/;
const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** True for a Salesforce record id in its 15 or 18 character form; nothing else may stand in a query. */
export function isRecordId(text: string): boolean {
  return ID.test(text);
}

/**
 * The 18 character form of a Salesforce record id. Salesforce shows the same record with 15 characters in places; the last three only
 * state which of the others are capitals, so both forms must count as one name (D7).
 */
export function longRecordId(id: string): string {
  if (!/^[A-Za-z0-9]{15}$/.test(id)) return id;
  const suffix = [0, 5, 10].map((start) => {
    const bits = [...id.slice(start, start + 5)].reduce((sum, letter, index) => sum + (/[A-Z]/.test(letter) ? 1 << index : 0), 0);
    return SUFFIX.charAt(bits);
  });
  return id + suffix.join('');
}
