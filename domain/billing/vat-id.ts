/**
 * Structure of VAT identification numbers after the country prefix, per member state of the European Union (European Commission, VIES:
 * "VAT identification number structure"). Greece uses the prefix EL. Neither check digits nor registration are verified here.
 */
const STRUCTURE: Readonly<Record<string, RegExp>> = {
  AT: /^U\d{8}$/,
  BE: /^[01]\d{9}$/,
  BG: /^\d{9,10}$/,
  CY: /^\d{8}[A-Z]$/,
  CZ: /^\d{8,10}$/,
  DE: /^\d{9}$/,
  DK: /^\d{8}$/,
  EE: /^\d{9}$/,
  ES: /^[A-Z0-9]\d{7}[A-Z0-9]$/,
  FI: /^\d{8}$/,
  FR: /^[A-HJ-NP-Z0-9]{2}\d{9}$/,
  GR: /^\d{9}$/,
  HR: /^\d{11}$/,
  HU: /^\d{8}$/,
  IE: /^(\d{7}[A-Z]{1,2}|\d[A-Z+*]\d{5}[A-Z])$/,
  IT: /^\d{11}$/,
  LT: /^(\d{9}|\d{12})$/,
  LU: /^\d{8}$/,
  LV: /^\d{11}$/,
  MT: /^\d{8}$/,
  NL: /^[A-Z0-9+*]{12}$/,
  PL: /^\d{10}$/,
  PT: /^\d{9}$/,
  RO: /^\d{2,10}$/,
  SE: /^\d{12}$/,
  SI: /^\d{8}$/,
  SK: /^\d{10}$/,
};

/** ISO 3166 codes of the member states. */
export const EU_MEMBER_STATES: ReadonlySet<string> = new Set(Object.keys(STRUCTURE));

/** True for a number with the prefix and the structure of the member state; spaces, dots and hyphens are ignored (R-043, S-47). */
export function isVatId(country: string, value: string): boolean {
  const structure = EU_MEMBER_STATES.has(country) ? STRUCTURE[country] : undefined;
  const compact = value.toUpperCase().replace(/[\s.-]/g, '');
  const prefix = country === 'GR' ? 'EL' : country;
  return structure !== undefined && compact.startsWith(prefix) && structure.test(compact.slice(prefix.length));
}
