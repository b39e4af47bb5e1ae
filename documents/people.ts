import { type DocumentFacts } from '../db/document-facts';

/**
 * How people are told on a document (R-056, I-15): a number in the order in which the document names them, or initials or the name where the
 * policy, or the contract by it, says so. The role stands beside it.
 */
export function peopleLabels({ people, head, lines, items }: DocumentFacts): (personId: string) => string {
  const shown = Object.hasOwn(people.peopleByContract, head.contractNumber) ? people.peopleByContract[head.contractNumber] : people.people;
  const named = [...lines, ...items].filter((each): each is typeof each & { personId: string } => each.personId !== null);
  const numbers = new Map<string, number>();
  const names = new Map<string, string>();
  for (const { personId, personName } of named) {
    if (!numbers.has(personId)) numbers.set(personId, numbers.size + 1);
    if (personName !== null) names.set(personId, personName);
  }
  return (personId) => {
    const name = names.get(personId) ?? '';
    if (shown === 'name' && name !== '') return name;
    if (shown === 'initials' && name !== '') return initials(name);
    return `Person ${numbers.get(personId) ?? 1}`;
  };
}

function initials(name: string): string {
  const words = name.split(/[\s-]+/u).filter((word) => word !== '');
  return words.map((word) => `${(Array.from(word)[0] ?? '').toLocaleUpperCase('en')}.`).join(' ');
}
