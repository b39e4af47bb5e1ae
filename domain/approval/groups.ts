/** Of which roles so many different people must grant, beside the quorum: `finance`, one of controllers and CFO. */
export interface GroupMinimum {
  readonly name: string;
  readonly roles: readonly string[];
  readonly grants: number;
}

/** A seat on a step: how much its vote weighs, and the groups of the rule that it counts for. */
export interface Seat {
  readonly weight: number;
  readonly groups: readonly string[];
}

/** Where the rule gives nobody a weight and has no groups. */
export const PLAIN_SEAT: Seat = { weight: 1, groups: [] };

/**
 * True where different people can be found for every group, its minimum of each: whichever groups are chosen, together they need no more
 * people than count for any of them (Hall). Nobody counts for two groups, because two roles of one tier need two people.
 */
export function coversGroups(groups: readonly GroupMinimum[], people: readonly Seat[]): boolean {
  return choicesOf(groups).every((chosen) => {
    const needed = chosen.reduce((sum, { grants }) => sum + grants, 0);
    return people.filter((seat) => chosen.some(({ name }) => seat.groups.includes(name))).length >= needed;
  });
}

/** Every choice of some of the groups; a rule has at most five. */
function choicesOf(groups: readonly GroupMinimum[]): GroupMinimum[][] {
  return groups.reduce<GroupMinimum[][]>((choices, group) => [...choices, ...choices.map((choice) => [...choice, group])], [[]]);
}
