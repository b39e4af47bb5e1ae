import { z } from 'zod';

/**
 * One wrong field of a request: where it stands in the body as it was sent (RFC 6901 pointer; `''` is the whole body), a stable
 * PascalCase code, and a sentence for a person. A request is answered with all of them at once.
 */
export const fieldErrorSchema = z.object({
  pointer: z.string(),
  code: z.string(),
  message: z.string(),
});

export type FieldError = z.infer<typeof fieldErrorSchema>;

/** JSON pointer (RFC 6901) of a path of keys and indexes; `[]` gives `''`. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** All issues of a failed zod parse as field errors; `prefix` is the pointer of the parsed value inside the sent body. */
export function fieldErrors(error: z.ZodError, prefix = ''): FieldError[] {
  return error.issues.flatMap((issue) => flatten(issue, prefix));
}

function flatten(issue: z.core.$ZodIssue, prefix: string): FieldError[] {
  const pointer = prefix + jsonPointer(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: pointer + jsonPointer([key]),
      code: 'UnknownField',
      message: `no field of this name: ${key}`,
    }));
  }
  if (issue.code === 'custom' && typeof issue.params?.violation === 'string')
    return [{ pointer, code: issue.params.violation, message: issue.message }];
  const missing = issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('received undefined');
  return [{ pointer, code: missing ? 'Required' : codes[issue.code], message: issue.message }];
}

const codes: Readonly<Record<z.core.$ZodIssue['code'], string>> = {
  invalid_type: 'WrongType',
  too_big: 'TooLarge',
  too_small: 'TooSmall',
  invalid_format: 'WrongFormat',
  not_multiple_of: 'NotMultiple',
  unrecognized_keys: 'UnknownField',
  invalid_union: 'NoVariantFits',
  invalid_key: 'WrongKey',
  invalid_element: 'WrongElement',
  invalid_value: 'UnknownValue',
  custom: 'Invalid',
};
