/** What is wrong with a firm's folder, one entry per fault. `line` is null in JSON files, `field` a column or a JSON pointer. */
export interface MasterDataError {
  readonly file: string;
  readonly line: number | null;
  readonly field: string;
  readonly reason: string;
}

/** One line for a person: `people.csv:12 calendar_id: names no calendar`. */
export function describeMasterDataError(error: MasterDataError): string {
  const place = error.line === null ? error.file : `${error.file}:${error.line}`;
  return `${place} ${error.field === '' ? '' : `${error.field}: `}${error.reason}`;
}
