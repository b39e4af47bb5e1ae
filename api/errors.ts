import { type Violation } from '../domain/violation';

/** How a code is answered. `action` tells the caller what to do next; `retryAfterSeconds` makes it a repeatable answer. */
export interface ErrorRow {
  readonly status: number;
  readonly title: string;
  readonly action: string;
  readonly retryAfterSeconds?: number;
}

type Said = Readonly<Record<string, readonly [title: string, action: string]>>;

const rows = (status: number, said: Said, retryAfterSeconds?: number): [string, ErrorRow][] =>
  Object.entries(said).map(([code, [title, action]]) => [
    code,
    { status, title, action, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
  ]);

const CORRECT = 'Correct the request and send it again.';
const READ_AGAIN = 'Read the resource again before going on.';
const ASK_FINANCE = 'Have finance complete the data, then repeat.';
const ASK_OPERATOR = 'Tell an operator the request id.';

/** The one table of error codes (DESIGN §9): a code that a person can meet has its status, sentence and action here and nowhere else. */
const table: ReadonlyMap<string, ErrorRow> = new Map([
  ...rows(400, {
    ValidationFailed: ['Fields of the request are missing or wrong.', CORRECT],
    RequestMalformed: ['The request cannot be read.', CORRECT],
    JsonMalformed: ['The body is not JSON.', CORRECT],
    JsonTooDeep: ['The body is nested too deeply.', 'Send at most 32 levels.'],
    TextNotStorable: ['The request holds characters that cannot be stored.', 'Leave out null characters and broken surrogates.'],
    CursorInvalid: ['The cursor is not one of ours.', 'Start again without a cursor.'],
    IdempotencyKeyInvalid: ['The Idempotency-Key is not usable.', 'Send 1 to 200 printable characters.'],
  }),
  ...rows(401, {
    NotAuthenticated: ['Nobody is signed in.', 'Send a bearer token or an API key.'],
    TokenInvalid: ['The token is not valid.', 'Sign in again.'],
    ApiKeyInvalid: ['The API key is not valid.', 'Use a key that has not expired or been revoked.'],
    SignatureInvalid: ['The signature does not fit.', 'Check the secret and that the body is sent unchanged.'],
    SignatureStale: ['The signature is too old.', 'Sign at the time of sending; check the clock.'],
  }),
  ...rows(403, {
    UserUnknown: ['This person is not known here.', 'Have the user created in the master data.'],
    PermissionMissing: ['Your roles do not allow this.', 'Ask somebody who holds the role.'],
    ScopeTooSmall: ['Your roles do not reach the whole group.', 'Ask somebody whose role does.'],
    RequesterRequired: ['Only who asked may take the request back.', 'Ask the requester, or refuse it.'],
    PersonRequired: ['Only a person may do this.', 'Sign in as a person.'],
    ApproverIsRequester: ['Nobody decides on their own request.', 'Ask another holder of the role.'],
    RoleNotAsked: ['You hold no role that is asked.', 'See the candidates of the open steps.'],
    SamePersonTwice: ['One person does not decide twice in one approval.', 'A second person has to decide.'],
    DutiesConflict: ['Your part in this deal forbids the decision.', 'Ask another holder of the role.'],
    DelegationCeilingExceeded: ['The delegation does not reach this amount.', 'The delegator or another holder has to decide.'],
    RolesNotForKeys: ['An API key holds only roles of integrations.', 'Leave the other roles out.'],
  }),
  ...rows(404, {
    RouteUnknown: ['There is nothing at this address.', 'See /docs for the routes.'],
    DealUnknown: ['There is no such deal, or not for you.', 'Check the id.'],
    ApprovalUnknown: ['There is no such approval, or not for you.', 'Check the id.'],
    ProjectUnknown: ['There is no such project, or not for you.', 'Check the id.'],
    ApiKeyUnknown: ['There is no such key.', 'Check the id.'],
    LineUnknown: ['There is no such contract line, or not for you.', 'Check the id.'],
    MilestoneUnknown: ['The line has no such milestone.', 'Check the id.'],
    InvoiceUnknown: ['There is no such invoice, or not for you.', 'Check the id.'],
    HoldUnknown: ['The invoice has no such open hold.', 'Check the id.'],
    InboxEventUnknown: ['There is no such event.', 'Check the id.'],
    RunUnknown: ['There is no such run, or not for you.', 'Check the workflow id.'],
    StreamUnknown: ['There is no such audit stream, or not for you.', 'Check the name.'],
  }),
  ...rows(409, {
    IdempotencyKeyReused: ['This key came before with another content.', 'Use a new key for a new request.'],
    AlreadyDecided: ['This is decided already.', READ_AGAIN],
    AlreadyVoted: ['You have decided already.', READ_AGAIN],
    TierNotOpen: ['This tier is not open.', 'Decide when its turn has come.'],
    StepNotOpen: ['This step is not open.', READ_AGAIN],
    VersionOutdated: ['The content has changed since it was shown to you.', 'Read it again and decide on what you see.'],
    DecisionIdReused: ['This decision id came before with another content.', 'Use a new id for a new decision.'],
    EffectIdentityMismatch: ['This id came before with another content.', 'Use a new id for a new fact.'],
    EventIdReused: ['This event id came before with another content.', 'Give every event its own id.'],
    StatementAlreadyImported: ['This bank statement is imported already.', 'Nothing to do.'],
    TermsNotExpected: ['The deal does not wait for terms now.', READ_AGAIN],
    CancellationPending: ['A cancellation is being decided already.', 'Decide that one first.'],
    DealFinished: ['The deal has ended.', READ_AGAIN],
    DealNotStarted: ['The run of the deal has not started yet.', 'Try again in a moment.'],
    LineNotActive: ['The contract line has not begun.', 'Wait until delivery has started.'],
    LineFinished: ['The contract line has ended.', READ_AGAIN],
    DealNotCancellable: ['The deal cannot be cancelled any more.', READ_AGAIN],
    BaselineFrozen: ['The baseline stands.', 'Change the project by a change order.'],
    MilestoneNotDeliverable: ['The milestone cannot be delivered now.', READ_AGAIN],
    UsagePeriodSettled: ['The usage of this period is settled.', 'Correct it by credit.'],
    ItemNotHeld: ['The billing item is not held.', READ_AGAIN],
    ProjectNotClosing: ['The project is not closing.', READ_AGAIN],
    ProjectSignedOff: ['The project is signed off already.', READ_AGAIN],
    CloseChecklistOpen: ['The close checklist is not complete.', 'See what is open and bring it.'],
    TimeEntryChanged: ['A billed or approved time entry does not change.', 'Correct it by credit and rebill.'],
    PolicyVersionChanged: ['A policy version does not change.', 'Give the changed policy a new version.'],
    MilestoneNotDelivered: ['This attempt has not been delivered.', 'Record the delivery first.'],
    MilestoneAlreadyAccepted: ['The milestone is accepted already.', READ_AGAIN],
    InvoiceNotOpen: ['The invoice is not open.', READ_AGAIN],
    AlreadyBilled: ['This is billed already.', READ_AGAIN],
    AcceptedMilestoneChanged: ['An accepted milestone does not change.', READ_AGAIN],
    EndBeforeBilled: ['The line is billed beyond that date.', 'Choose a later date, or credit first.'],
    FeeBelowBilled: ['More than that fee is billed already.', 'Credit first.'],
    TermNotChangeable: ['This term cannot change any more.', READ_AGAIN],
    ProjectClosed: ['The project has ended.', READ_AGAIN],
    InboxEventNotReplayable: ['The event was delivered or is on its way.', 'Nothing to do.'],
    DealAliasConflict: ['The names belong to different deals.', 'Correct the ids in the CRM, then replay.'],
    DealContractNumberTaken: ['Another deal has this contract number.', 'Correct it in the CRM, then replay.'],
    DealShortCodeTaken: ['Another deal has this short code.', 'Correct it in the CRM, then replay.'],
    ApiKeyExists: ['This key was created and shown already.', 'Revoke it and create another.'],
  }),
  ...rows(409, { RequestInProgress: ['A request with this key is running.', 'Repeat it in a moment.'] }, 2),
  ...rows(410, { ApprovalGone: ['The request was withdrawn or has expired.', 'Nothing is left to decide.'] }),
  ...rows(413, { BodyTooLarge: ['The body is larger than 1 MiB.', 'Send it in parts.'] }),
  ...rows(415, { MediaTypeUnsupported: ['This media type is not read here.', 'See /docs for the media type.'] }),
  ...rows(422, {
    DealInvalid: ['The deal cannot be taken as it is; it is kept.', 'Correct the fields in the CRM, or replay the event.'],
    EventInvalid: ['The event cannot be read.', CORRECT],
    MasterDataInvalid: ['The master data is refused as a whole.', CORRECT],
    StatementInvalid: ['The bank file is refused as a whole.', 'Ask the bank for a correct file.'],
    SowTermsInvalid: ['Terms of the statement of work cannot be applied.', CORRECT],
    ReasonMissing: ['A refusal says why.', 'Send a reason.'],
    CancellationBackdated: ['A cancellation does not take effect in the past.', CORRECT],
    DeliveryBackdated: [
      'The delivery is dated too far back.',
      'Give the moment at which the customer was told; the time to answer must still run.',
    ],
    DeliveryInFuture: ['The delivery lies in the future.', CORRECT],
    ResponseBeforeDelivery: ['The response lies before the delivery.', CORRECT],
    ResponseInFuture: ['The response lies in the future.', CORRECT],
    UsageSupersedesOther: ['A report replaces only one of the same line and month.', CORRECT],
    UsageInconsistent: ['The figures of the report do not fit together.', CORRECT],
    UsagePeriodOutsideTerm: ['The line does not cover this period.', CORRECT],
    HoldAboveOpenAmount: ['More is held than is open.', CORRECT],
    DeemedAcceptanceNotAgreed: ['The contract does not agree acceptance by silence.', CORRECT],
    LegalEntityUnknown: ['The lead entity is not one of ours.', 'Complete the master data, then replay the event.'],
    BankAccountUnknown: ['The account belongs to no entity of ours.', ASK_FINANCE],
    BaselineIncomplete: ['The terms are not complete.', 'Bring what the handoff lacks.'],
    BillingPlanEmpty: ['The line has nothing to bill.', CORRECT],
    IntakeTypeUnknown: ['This kind of facts is not known.', CORRECT],
    PolicyNotInForce: ['No policy is in force for this.', ASK_FINANCE],
    AmountInvalid: ['The amount does not fit its currency.', CORRECT],
    ValueNotStorable: ['A value lies outside what can be stored.', CORRECT],
    SoapUnexpected: ['The message is not an outbound message.', CORRECT],
    XmlMalformed: ['The body is not well-formed XML.', CORRECT],
    XmlTooLarge: ['The XML is larger than what is read.', CORRECT],
    XmlUnsafe: ['The XML holds a DOCTYPE or entities.', CORRECT],
    RoleUnknown: ['There is no such role.', CORRECT],
    UnknownTermPath: ['There is no such term.', CORRECT],
    TermValueInvalid: ['The value does not fit the term.', CORRECT],
    TermCurrencyMismatch: ['The currency is not that of the line.', CORRECT],
    DuplicateTermPath: ['A term is stated twice.', CORRECT],
    DatesOutOfOrder: ['The dates are out of order.', CORRECT],
    EngagementModelNotSupported: ['This engagement model is not supported.', CORRECT],
    RevenueMethodNotSupported: ['This revenue method is not supported.', CORRECT],
    MilestonesNotWhole: ['The milestones do not make up the whole fee.', CORRECT],
    MilestoneNotAccepted: ['The milestone is not accepted.', 'Record the acceptance first.'],
    UsageReportMissing: ['Usage of the period is not reported.', 'Report the usage first.'],
    EstimateToCompleteMissing: ['The estimate to complete is missing.', ASK_FINANCE],
    FxRateMissing: ['There is no rate of exchange for the date.', ASK_FINANCE],
    TaxRateMissing: ['There is no tax rate for the date.', ASK_FINANCE],
    TaxRateAmbiguous: ['More than one tax rate fits.', ASK_FINANCE],
    SellerVatIdMissing: ['The selling entity has no VAT id.', ASK_FINANCE],
    CustomerVatIdMissing: ['The customer has no VAT id.', ASK_FINANCE],
    CurrencyUnknown: ['The currency is not known.', CORRECT],
    DecimalMalformed: ['The number is not an exact decimal.', CORRECT],
    MoneyMalformed: ['The amount is not a decimal number.', CORRECT],
    MoneyTooPrecise: ['The amount has more digits than its currency.', CORRECT],
    MoneyTooLarge: ['The amount is too large.', CORRECT],
    TimeZoneUnknown: ['The time zone is not known.', CORRECT],
    CalendarWithoutWorkingDay: ['The calendar has no working day.', ASK_FINANCE],
    CalendarWithoutWorkingTime: ['The calendar has no working time.', ASK_FINANCE],
    PolicyConditionUnknown: ['The approval policy has a condition that is not known.', ASK_FINANCE],
    PolicyLimitMalformed: ['The approval policy has a malformed limit.', ASK_FINANCE],
    PolicyQuorumMalformed: ['The approval policy has a malformed quorum.', ASK_FINANCE],
    PolicyQuorumMixed: ['The approval policy mixes two kinds of quorum.', ASK_FINANCE],
    LineAmountUnknown: ['The amount of a line is not known.', ASK_FINANCE],
    DocumentWithoutLines: ['The document has no lines.', CORRECT],
    DocumentWithoutAmount: ['The document has no amount.', CORRECT],
    DocumentSignWrong: ['The sign of the document does not fit its kind.', CORRECT],
    JournalEntryIncomplete: ['The journal entry is incomplete.', ASK_OPERATOR],
    JournalEntryUnbalanced: ['The journal entry does not balance.', ASK_OPERATOR],
    JournalLineInvalid: ['A line of the journal entry is invalid.', ASK_OPERATOR],
    ReversalUnmatched: ['The reversal fits no payment.', ASK_FINANCE],
    ReversalUnidentified: ['The reversal names no payment.', ASK_FINANCE],
    ReversalAmountDiffers: ['The reversal differs from its payment.', ASK_FINANCE],
    NamespaceUnknown: ['The namespace is not known.', CORRECT],
    CrmRecordNotFound: ['The CRM has no such record.', 'Check the record in the CRM, then replay.'],
    CrmRequestRefused: ['The CRM refuses to answer.', 'Check the access of the integration, then replay.'],
    CrmAnswerUnexpected: ['The CRM answers in an unknown shape.', ASK_OPERATOR],
    CrmRecordsIncomplete: ['The CRM left out records.', 'Replay the event later.'],
    DeliveryFailed: ['The event could not be handed on.', 'Replay the event.'],
  }),
  ...rows(429, { TooManyRequests: ['Too many requests.', 'Wait as long as Retry-After says.'] }, 30),
  ...rows(500, { InternalError: ['Something is wrong on our side.', ASK_OPERATOR] }),
  ...rows(
    503,
    {
      DatabaseUnavailable: ['The database does not answer now.', 'Repeat the same request.'],
      OutcomeUnknown: ['Whether this was done is not known yet.', 'Repeat it with the same Idempotency-Key: it gives the one outcome.'],
      TemporalUnavailable: ['The workflow engine does not answer now.', 'Repeat the same request.'],
      IdentityProviderUnavailable: ['The identity provider does not answer now.', 'Repeat the same request.'],
      WebhookNotConfigured: ['The secret of this webhook is not configured.', 'Configure it; the sender repeats.'],
      RunMissing: ['The run that should take this is not there.', ASK_OPERATOR],
      NotReady: ['The service is not ready.', 'Repeat the same request.'],
    },
    5,
  ),
]);

/** The row of a code; undefined for one that nobody gave a row, which is a bug (answered as `InternalError`). */
export function errorRow(code: string): ErrorRow | undefined {
  return table.get(code);
}

/** Refusals that pass by themselves: the same request may be taken later, so they are not kept as the answer of its key. */
const PASSING: ReadonlySet<string> = new Set([
  'CloseChecklistOpen',
  'DealNotStarted',
  'LineNotActive',
  'MilestoneNotDelivered',
  'ProjectNotClosing',
  'RunMissing',
  'StepNotOpen',
  'TermsNotExpected',
  'TierNotOpen',
  'TooManyRequests',
]);

/** True where the same request may be taken a moment later, though nobody corrects it. */
export function isPassing(code: string): boolean {
  return PASSING.has(code) || (errorRow(code)?.status ?? 500) >= 500;
}

/** Every code a caller can meet, for the documentation and the tests. */
export function errorCodes(): string[] {
  return [...table.keys()].sort();
}

export interface WrongField {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

export interface ErrorExtras {
  readonly errors?: readonly WrongField[];
  readonly inboxEventId?: string;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A refusal or an outage on its way to the caller; its code has a row in the table. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: string,
    readonly detail: string,
    readonly extras: ErrorExtras = {},
  ) {
    super(`${code}: ${detail}`, { cause: extras.cause });
  }
}

/** A rule said no: its violation as an answer. The violations inside it become the wrong fields. */
export function refused(violation: Violation & { readonly errors?: readonly Violation[] }, pointerOf = pointer): ApiError {
  const inner = violation.errors ?? (violation.path === undefined ? [] : [violation]);
  const errors = inner.map((each) => ({ pointer: pointerOf(each.path ?? ''), code: each.violation, detail: each.detail }));
  return new ApiError(violation.violation, violation.detail, errors.length > 0 ? { errors } : {});
}

/** Rules name places by dots or as a JSON pointer; answers always by pointer. */
function pointer(path: string): string {
  return path === '' || path.startsWith('/') ? path : `/${path.replaceAll('.', '/')}`;
}
