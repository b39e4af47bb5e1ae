/*
 * Who may say what to an approval, and where that leads: the same as the product, from the same words of RULES, written down another way. Sets of
 * people and loops over them, nothing of `domain/approval`.
 */

export interface ModelStep {
  readonly role: string;
  readonly holders: readonly string[];
  /** A number of votes, or a share of them in percent. */
  readonly count: number | null;
  readonly percent: number | null;
  readonly veto: boolean;
  readonly minimum: number;
  readonly committee: boolean;
  readonly weightOf: Readonly<Record<string, number>>;
  readonly groups: readonly { readonly name: string; readonly people: readonly string[]; readonly grants: number }[];
}

export interface ModelWorld {
  readonly tiers: readonly (readonly ModelStep[])[];
  readonly requester: string;
  readonly head: string;
  /** Whoever gives a role, and to whom; nobody gives or gets one twice. */
  readonly gives: readonly { readonly role: string; readonly from: string; readonly to: string }[];
  readonly longestChain: number;
}

const NOBODY: ReadonlySet<string> = new Set();

interface Ballot {
  readonly person: string;
  readonly seat: string;
  readonly yes: boolean;
}

export class ApprovalModel {
  state: 'pending' | 'approved' | 'refused' = 'pending';
  tier = 0;
  readonly done = new Set<string>();
  readonly withHead = new Set<string>();
  /** Whoever has stepped aside, and of which steps. */
  readonly gone = new Set<string>();
  private readonly outOf = new Map<string, Set<string>>();
  private readonly ballots = new Map<string, Ballot[]>();

  constructor(private readonly world: ModelWorld) {
    for (const { role } of world.tiers.flat()) {
      this.ballots.set(role, []);
      this.outOf.set(role, new Set());
    }
  }

  /** The refusal, or null where the vote counted. */
  vote(person: string, role: string, yes: boolean): string | null {
    if (this.state !== 'pending') return 'AlreadyDecided';
    if (person === this.world.requester) return 'ApproverIsRequester';
    const place = this.world.tiers.findIndex((steps) => steps.some((each) => each.role === role));
    if (place > this.tier) return 'TierNotOpen';
    if (place < this.tier) return 'AlreadyDecided';
    const tier = this.world.tiers[place] ?? [];
    if (this.cast(role).some((each) => each.person === person)) return 'AlreadyVoted';
    if (tier.some((each) => this.cast(each.role).some((ballot) => ballot.person === person))) return 'SamePersonTwice';
    const step = tier.find((each) => each.role === role) as ModelStep;
    const electors = this.electors(step);
    if (this.gone.has(person)) return 'VoterRecused';
    const seat = this.seatFor(person, step, electors, this.out(role));
    if (seat === null) return this.seatFor(person, step, this.electors(step, NOBODY), NOBODY) === null ? 'RoleNotAsked' : 'VoterRecused';
    if (this.done.has(role)) return 'AlreadyDecided';
    if (this.cast(role).some((ballot) => ballot.seat === seat)) return 'AlreadyVoted';
    if (!step.committee && [person, seat].some((each) => this.spoke(each, null))) return 'SamePersonTwice';
    this.cast(role).push({ person, seat, yes });
    this.look(step, electors);
    return null;
  }

  /** A holder of a role steps aside. */
  leave(person: string): string | null {
    if (this.state !== 'pending') return 'AlreadyDecided';
    if (person === this.world.requester) return 'ApproverIsRequester';
    if (this.gone.has(person)) return null;
    const open = (this.world.tiers[this.tier] ?? []).filter(({ role }) => !this.done.has(role));
    if (open.some(({ role }) => this.cast(role).some((ballot) => ballot.person === person || ballot.seat === person)))
      return 'AlreadyVoted';
    const ahead = this.world.tiers
      .slice(this.tier)
      .flat()
      .filter(({ role }) => !this.done.has(role));
    const electors = new Map(ahead.map((step) => [step.role, this.electors(step)]));
    if (![...electors.values()].some((each) => each.includes(person))) return 'RoleNotAsked';
    this.gone.add(person);
    for (const { role } of ahead) this.out(role).add(person);
    const left = (step: ModelStep): string[] => (electors.get(step.role) ?? []).filter((each) => each !== person);
    for (const step of ahead) if (!open.includes(step) && this.isShort(step, left(step))) this.withHead.add(step.role);
    const [started, rest] = [this.tier, open];
    for (const step of rest) if (this.state === 'pending' && this.tier === started) this.look(step, left(step));
    return null;
  }

  private out(role: string): Set<string> {
    return this.outOf.get(role) as Set<string>;
  }

  private cast(role: string): Ballot[] {
    return this.ballots.get(role) as Ballot[];
  }

  /** Whether somebody has spoken, or was spoken for, in a step that is no committee; `but` leaves one step aside. */
  private spoke(person: string, but: string | null): boolean {
    for (const { role, committee } of this.world.tiers.flat())
      if (!committee && role !== but)
        for (const ballot of this.cast(role)) if (ballot.person === person || ballot.seat === person) return true;
    return false;
  }

  private electors(step: ModelStep, out: ReadonlySet<string> = this.out(step.role)): string[] {
    const asked = this.withHead.has(step.role) ? [...step.holders, this.world.head] : step.holders;
    const able = asked.filter((each) => each !== this.world.requester && !out.has(each));
    return [...new Set(able)].filter((each) => step.committee || !this.spoke(each, step.role));
  }

  /** In whose seat somebody would vote: their own, or that at the start of the chain that ends with them. */
  private seatFor(person: string, { role }: ModelStep, electors: readonly string[], out: ReadonlySet<string>): string | null {
    let at = person;
    for (let links = 0; links <= this.world.longestChain; links += 1) {
      if (electors.includes(at)) return at;
      const link = this.world.gives.find((each) => each.role === role && each.to === at);
      if (link === undefined || link.from === this.world.requester || out.has(link.from)) return null;
      at = link.from;
    }
    return null;
  }

  private need(step: ModelStep, total: number): number {
    return step.count ?? Math.max(1, Math.ceil(((step.percent as number) * total) / 100 - 1e-9));
  }

  private weigh(step: ModelStep, people: readonly string[]): number {
    let sum = 0;
    for (const each of people) sum += step.weightOf[each] ?? 1;
    return sum;
  }

  /** Seats people on the places of the groups one by one. */
  private fills(step: ModelStep, people: readonly string[]): boolean {
    const places = step.groups.flatMap((group) => Array.from({ length: group.grants }, () => group.people));
    const seat = (index: number, free: readonly string[]): boolean => {
      const fits = places[index];
      return (
        fits === undefined ||
        free.some(
          (each) =>
            fits.includes(each) &&
            seat(
              index + 1,
              free.filter((other) => other !== each),
            ),
        )
      );
    };
    return seat(0, people);
  }

  private isShort(step: ModelStep, electors: readonly string[]): boolean {
    const total = this.weigh(step, electors);
    return electors.length < step.minimum || total < this.need(step, total) || !this.fills(step, electors);
  }

  private look(step: ModelStep, electors: readonly string[]): void {
    const ballots = this.cast(step.role);
    const seats = (yes: boolean): string[] => ballots.filter((each) => each.yes === yes).map((each) => each.seat);
    const [fors, againsts] = [seats(true), seats(false)];
    const all = [...new Set([...electors, ...fors, ...againsts])];
    const total = this.weigh(step, all);
    const need = this.need(step, total);
    if (this.weigh(step, fors) >= need && this.fills(step, fors) && all.length >= step.minimum) return this.grant(step);
    const isLost = this.weigh(step, fors) < need || !this.fills(step, fors);
    if (isLost && againsts.length > 0) {
      const one = step.count === 1 || all.length === 1;
      const short = total - this.weigh(step, againsts) < need;
      const unfilled =
        this.fills(step, all) &&
        !this.fills(
          step,
          all.filter((each) => !againsts.includes(each)),
        );
      if (step.veto || one || short || unfilled) {
        this.done.add(step.role);
        this.state = 'refused';
        return;
      }
    }
    if (this.isShort(step, electors)) this.withHead.add(step.role);
  }

  private grant({ role }: ModelStep): void {
    this.done.add(role);
    if ((this.world.tiers[this.tier] ?? []).some((each) => !this.done.has(each.role))) return;
    this.tier += 1;
    if (this.tier === this.world.tiers.length) this.state = 'approved';
  }
}
