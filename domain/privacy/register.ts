import { type Entry, nameOf } from './entry';
import { NOT_PERSONAL } from './not-personal';
import { IDENTITY, PEOPLE } from './people';
import { RECORDS } from './records';
import { WORK } from './work';

/**
 * The register of personal data: every column of the database that says something of people or holds words of theirs, why it is held, how
 * long, how it is linked to a person, and what an erasure does with it. In the order in which an erasure goes on: who a person is
 * comes last, because everything else is found by it. Export, erasure and its report follow from this list.
 */
export const REGISTER: readonly Entry[] = [...PEOPLE, ...WORK, ...RECORDS, ...IDENTITY];

/** Columns as the catalogue of the database names them, `table.column`: all, and those that can hold a text. */
export interface Catalogue {
  readonly all: readonly string[];
  readonly texts: readonly string[];
}

/**
 * What is wrong between the register and the database: columns for texts that nobody has classified, classified ones that are not
 * there, and what is classified twice.
 */
export function registerFaults({ all, texts }: Catalogue): { unclassified: string[]; vanished: string[]; twice: string[] } {
  const personal = REGISTER.flatMap(({ table, columns }) => columns.map((column) => `${table}.${column}`));
  const links = REGISTER.flatMap(({ table, link }) => link.in.map((column) => `${table}.${column}`));
  const other = Object.entries(NOT_PERSONAL).flatMap(([table, columns]) => columns.map((column) => `${table}.${column}`));
  const known = new Set([...personal, ...other]);
  return {
    unclassified: texts.filter((column) => !known.has(column)),
    vanished: [...new Set([...known, ...links])].filter((column) => !all.includes(column)),
    twice: [...repeated([...personal, ...other]), ...repeated(REGISTER.map(nameOf))],
  };
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
