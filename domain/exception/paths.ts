/** How what does not go its usual way is handled (DESIGN 4, R-310). */
export const exceptionPaths = [
  'stuck-integration',
  'policy-breach',
  'delayed-approval',
  'scope-change',
  'margin-erosion',
  'subcontractor-spend',
] as const;
export type ExceptionPath = (typeof exceptionPaths)[number];

export function isExceptionPath(value: string | null): value is ExceptionPath {
  return exceptionPaths.some((path) => path === value);
}

/** `open`: nobody was asked yet; `assigned`: its owner is asked; `decided`: an outcome was chosen and is approved or carried out. */
export type ExceptionStage = 'open' | 'assigned' | 'decided' | 'settled';

export const exceptionOptions = [
  'retry',
  'fix',
  'skip',
  'cancel',
  'exempt',
  'uphold',
  'correct',
  'remind',
  'reassign',
  'withdraw',
  'change-order',
  'absorb',
  'reject',
  'accept',
  'replan',
  'reallocate',
  'refuse',
  'dispute',
] as const;
export type ExceptionOption = (typeof exceptionOptions)[number];

/** What kind of thing an exception is about: what can be done about it differs. */
export type ExceptionAbout = 'step' | 'inbox-event' | 'notification' | 'finding' | 'approval' | 'parked-time' | 'margin' | 'spend';

/** What an option asks for beside a reason. */
export type OptionNeed = 'evidence' | 'role' | 'change-order' | 'line' | 'subcontractor-cost';

export interface Offer {
  readonly option: ExceptionOption;
  /** Whether somebody else has to approve it before it is carried out. */
  readonly needsApproval: boolean;
  readonly needs: OptionNeed | null;
  /** True where it takes corrected facts instead of the evidence; then somebody else has to approve it. */
  readonly takesCorrection?: true;
}

interface OptionRule {
  readonly option: ExceptionOption;
  readonly for: readonly ExceptionAbout[];
  readonly needsApproval?: true;
  readonly needs?: OptionNeed;
}

/** What may become of an exception, by its path; what gives something up is approved, and a policy asks for more of that, never less. */
const RULES: Readonly<Record<ExceptionPath, readonly OptionRule[]>> = {
  'stuck-integration': [
    { option: 'retry', for: ['step', 'inbox-event', 'notification'] },
    { option: 'fix', for: ['step', 'inbox-event', 'notification'], needs: 'evidence' },
    { option: 'skip', for: ['step', 'inbox-event', 'notification'], needsApproval: true },
    { option: 'cancel', for: ['step'] },
  ],
  'policy-breach': [
    { option: 'exempt', for: ['finding'], needsApproval: true, needs: 'evidence' },
    { option: 'uphold', for: ['finding'], needsApproval: true },
    { option: 'correct', for: ['finding'] },
  ],
  'delayed-approval': [
    { option: 'remind', for: ['approval'] },
    { option: 'reassign', for: ['approval'], needs: 'role' },
    { option: 'withdraw', for: ['approval'] },
  ],
  'scope-change': [
    { option: 'change-order', for: ['finding', 'parked-time'], needs: 'change-order' },
    { option: 'absorb', for: ['finding', 'parked-time'], needsApproval: true },
    { option: 'reject', for: ['finding'] },
  ],
  'margin-erosion': [
    { option: 'accept', for: ['margin'], needsApproval: true },
    { option: 'replan', for: ['margin'] },
    { option: 'change-order', for: ['margin'], needs: 'change-order' },
  ],
  'subcontractor-spend': [
    { option: 'change-order', for: ['spend'], needsApproval: true, needs: 'change-order' },
    { option: 'absorb', for: ['spend'], needsApproval: true },
    { option: 'reallocate', for: ['spend'], needsApproval: true, needs: 'line' },
    { option: 'refuse', for: ['spend'], needs: 'subcontractor-cost' },
    { option: 'dispute', for: ['spend'], needs: 'subcontractor-cost' },
  ],
};

/** Steps that can be left out, because there is a fact that takes their place. */
export const SKIPPABLE_STEPS: readonly string[] = ['applyIntake', 'applyIntakeBlock', 'applyChangeOrder', 'billItem', 'issueInvoice'];

/** What an exception is about, as far as its options depend on it. */
export interface ExceptionSubject {
  readonly path: ExceptionPath;
  readonly about: ExceptionAbout;
  /** The step that is stuck. */
  readonly step: string | null;
  /** The step belongs to a deal that could still be cancelled. */
  readonly isCancellable: boolean;
}

/** The options of an exception now, with what each asks for; `alsoApproved` are those that policy wants approved beside. */
export function offersOf(subject: ExceptionSubject, alsoApproved: readonly string[]): Offer[] {
  return RULES[subject.path]
    .filter((rule) => rule.for.includes(subject.about) && isPossible(rule.option, subject))
    .map(({ option, needsApproval = false, needs = null }) => ({
      option,
      needsApproval: needsApproval || alsoApproved.includes(option),
      needs,
      ...(option === 'fix' && isCorrectable(subject) ? { takesCorrection: true } : {}),
    }));
}

/** What was sent wrong, and is not applied in part: an event, the step that takes it, the address of a message. */
function isCorrectable({ about, step }: ExceptionSubject): boolean {
  return about === 'step' ? step === 'applyIntake' : about === 'inbox-event' || about === 'notification';
}

function isPossible(option: ExceptionOption, { about, step, isCancellable }: ExceptionSubject): boolean {
  if (about !== 'step') return true;
  if (option === 'skip') return step !== null && SKIPPABLE_STEPS.includes(step);
  return option !== 'cancel' || isCancellable;
}

/** The kind of what an exception is about, by its path and the name of what it stands at (`inbox/…`, `line/…`). */
function aboutOf(path: ExceptionPath, name: string): ExceptionAbout {
  if (path === 'delayed-approval') return 'approval';
  if (path === 'margin-erosion') return 'margin';
  if (path === 'subcontractor-spend') return 'spend';
  if (isAboutFindings(name)) return 'finding';
  if (path === 'scope-change') return 'parked-time';
  if (name.startsWith('inbox/')) return 'inbox-event';
  return name.startsWith('notification/') ? 'notification' : 'step';
}

/** `findings/<id>` holds all records of one cause; `finding/<id>` was about one. */
export function isAboutFindings(name: string): boolean {
  return name.startsWith('findings/') || name.startsWith('finding/');
}

/** The exception whose run waits under this name; null where it is another run. */
export function exceptionOfWait(workflowId: string): string | null {
  return workflowId.startsWith('exception/') ? workflowId.slice('exception/'.length) : null;
}

/** An exception as its row has it: `name` is what it stands at, `kind` names the step that is stuck. */
export interface KnownException {
  readonly path: ExceptionPath;
  readonly name: string;
  readonly kind: string;
  readonly dealId: string | null;
}

/** What an exception is about, as far as its options depend on it: only runs of a deal and its lines are ended by its cancellation. */
export function subjectOfException({ path, name, kind, dealId }: KnownException): ExceptionSubject {
  const about = aboutOf(path, name);
  return {
    path,
    about,
    step: about === 'step' ? kind.slice('stuck/'.length) : null,
    isCancellable: dealId !== null && (name.startsWith('deal/') || name.startsWith('line/')),
  };
}
