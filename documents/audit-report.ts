import { type AuditExport } from '../contracts/api/audit-export';
import { ACCENT, MUTED, openSheet, type Sheet, type Style } from './sheet';
import { pairs, table } from './table';

const TITLE: Style = { size: 16, bold: true, color: ACCENT };
const LABEL: Style = { size: 10, bold: true, color: ACCENT };
const NOTE: Style = { size: 8, color: MUTED };

/** An audit export for people to read (R-242). The JSON of the same part holds more, and the proof; its hash stands on every page. */
export async function renderAuditReport(file: AuditExport): Promise<Buffer> {
  const { deal, exportedAt } = file;
  const title = `Audit export of ${deal.contractNumber}`;
  const sheet = await openSheet({ title, author: 'Throughline', createdAt: new Date(exportedAt), size: 'A4' });
  await head(sheet, file);
  await done(sheet, file);
  await approvals(sheet, file);
  await evidence(sheet, file);
  return sheet.finish((page, pages) => ({
    left: `${title} · content ${file.contentHash}`,
    right: `Exported ${exportedAt} by ${file.exportedBy} · Page ${page} of ${pages}`,
  }));
}

async function head(sheet: Sheet, { deal, ofEntities, part, verification, contentHash }: AuditExport): Promise<void> {
  sheet.y += sheet.text(`Audit export of ${deal.contractNumber}`, sheet.left, sheet.y, sheet.width, TITLE) + 6;
  const { anchor, damage } = verification;
  const anchored =
    anchor === null ? 'not sealed yet' : `${anchor.sequence}:${anchor.hash}, sealed ${anchor.sealedAt} up to entry ${anchor.head.sequence}`;
  const entries: readonly (readonly [string, string])[] = [
    ['Deal', `${deal.name} (${deal.id})`],
    ['Customer', deal.customerId ?? '–'],
    ['Entities', `${deal.entityIds.join(', ')}; led by ${deal.leadEntityId}`],
    ['State', `${deal.state}; won ${deal.closedWonAt}${deal.finishedAt === null ? '' : `, finished ${deal.finishedAt}`}`],
    ['Facts of', ofEntities === null ? 'all entities' : ofEntities.join(', ')],
    ['This part', `entries ${part.after + 1} to ${part.last} of ${verification.entries}${part.nextAfter === null ? '' : '; more follow'}`],
    ['Chain', damage === null ? `whole, ${verification.entries} entries, ends with ${verification.hash}` : `DAMAGED at entry ${damage.sequence} (${damage.kind}): ${damage.detail}`], // prettier-ignore
    ['Anchor', anchored],
    ['Erased', `${verification.erased} personal values and texts`],
    ['Content', `SHA-256 ${contentHash}`],
  ];
  sheet.y += pairs(sheet, entries, { x: sheet.left, y: sheet.y, width: sheet.width, nameWidth: 70 }) + 10;
  await sheet.paragraph(
    'Each entry is the record of one effect. Its hash covers its text and the hash of the entry before. The JSON of this part can be checked without the system.',
    NOTE,
  );
  sheet.y += 10;
}

async function done(sheet: Sheet, { entries }: AuditExport): Promise<void> {
  await titled(sheet, 'Who did what, and when');
  const columns = [
    { title: '#', share: 4, align: 'right' },
    { title: 'When (UTC)', share: 17 },
    { title: 'Who', share: 13 },
    { title: 'What', share: 20 },
    { title: 'On what, and in whose words', share: 33 },
    { title: 'Hash', share: 13 },
  ] as const;
  const rows = entries.map(({ sequence, told, texts, hash }) => {
    if (told === null) return [String(sequence), '', '', 'of another entity', '', hash.slice(0, 12)];
    const words = texts.map(({ says, state, text }) => `${says}: ${state === 'readable' ? `“${text ?? ''}”` : state}`);
    return [String(sequence), utc(told.at), told.actor, told.action, [told.subject, ...words].join(' · '), hash.slice(0, 12)];
  });
  await table(sheet, columns, rows);
}

async function approvals(sheet: Sheet, { approvals: asked, policies, delegations, slaEvents }: AuditExport): Promise<void> {
  if (asked.length > 0) await titled(sheet, 'Approvals, the policy they went by, and who decided on what');
  for (const approval of asked) {
    const policy = policies.find(({ id }) => id === approval.policyVersionId);
    const named =
      policy === undefined ? approval.policyVersionId : `${policy.kind} version ${policy.version}, valid from ${policy.validFrom}`;
    const entries: readonly (readonly [string, string])[] = [
      ['Subject', `${approval.subjectKind} ${approval.subjectId} of ${approval.entityId}: ${approval.state}`],
      [
        'Requested',
        `by ${approval.requestedBy}, ${approval.openedAt}${approval.decidedAt === null ? '' : `; decided ${approval.decidedAt}`}`,
      ],
      ['Policy', `${named}; rules ${approval.ruleIds.join(', ') || 'none: nobody was asked'}`],
      ['Shown', `SHA-256 ${approval.shownHash}`],
    ];
    await sheet.keep(60);
    sheet.y += pairs(sheet, entries, { x: sheet.left, y: sheet.y, width: sheet.width, nameWidth: 70 }) + 4;
    const said = saidBeside(approval);
    if (said.length > 0) await table(sheet, fifths('When', 'Who', 'As', 'Said', 'Until'), said);
    if (approval.decisions.length === 0) continue;
    const rows = approval.decisions.map((each) => [
      utc(each.decidedAt),
      each.onBehalfOf === null ? each.decidedBy : `${each.decidedBy} for ${each.onBehalfOf}`,
      `${each.role}, tier ${each.tier}`,
      each.verdict,
      each.shownHash === approval.shownHash ? 'as shown' : `on ${each.shownHash}`,
    ]);
    await table(sheet, fifths('When', 'Who', 'As', 'Decision', 'Bound to'), rows);
  }
  if (delegations.length > 0) {
    await titled(sheet, 'Delegations');
    const rows = delegations.map((each) => [
      each.id,
      each.delegator,
      each.delegate,
      each.role,
      `${utc(each.validFrom)} – ${utc(each.validUntil)}`,
    ]);
    await table(sheet, fifths('Id', 'From', 'To', 'Role', 'Valid'), rows);
  }
  if (slaEvents.length === 0) return;
  await titled(sheet, 'Reminders, escalations and breaches');
  const rows = slaEvents.map((each) => [utc(each.at), each.kind, [each.role, ...each.holders].join(' '), each.subject, utc(each.since)]);
  await table(sheet, fifths('When', 'What', 'Role and who held it', 'Subject', 'Asked since'), rows);
}

/** Who stood back, asked, and granted under what; the words stand with the entries. */
function saidBeside({ recusals = [], questions = [], conditions = [] }: AuditExport['approvals'][number]): string[][] {
  const until = (at: string | null, how: string): string => (at === null ? 'open' : `${how} ${utc(at)}`);
  return [
    ...recusals.map(({ at, userId }) => [utc(at), userId, '', 'stood back', '']),
    ...questions.map((each) => [
      utc(each.askedAt),
      each.askedBy,
      `${each.role}, tier ${each.tier}`,
      'asked',
      until(each.answeredAt, 'answered'),
    ]),
    ...conditions.map((each) => [utc(each.setAt), each.setBy, `for ${each.role}`, 'condition', until(each.settledAt, each.outcome ?? '')]),
  ];
}

async function evidence(sheet: Sheet, { documents, exceptions }: AuditExport): Promise<void> {
  if (documents.length > 0) {
    await titled(sheet, 'Documents');
    const rows = documents.map((each) => [utc(each.at), each.kind, each.reference, each.by ?? '', each.sha256 ?? 'kept outside']);
    await table(sheet, fifths('When', 'Kind', 'Reference', 'Brought by', 'SHA-256'), rows);
  }
  if (exceptions.length === 0) return;
  await titled(sheet, 'Exceptions');
  const rows = exceptions.map((each) => [
    utc(each.openedAt),
    each.kind,
    each.ownerRole,
    each.workflowId,
    each.closedAt === null ? 'open' : utc(each.closedAt),
  ]);
  await table(sheet, fifths('Opened', 'Kind', 'Owner', 'Run', 'Closed'), rows);
}

/** A moment as it stands in tables. */
function utc(moment: string): string {
  return moment.slice(0, 19).replace('T', ' ');
}

function fifths(...titles: readonly string[]) {
  return titles.map((title) => ({ title, share: 20 }));
}

async function titled(sheet: Sheet, title: string): Promise<void> {
  await sheet.keep(50);
  sheet.y += sheet.text(title, sheet.left, sheet.y, sheet.width, LABEL) + 4;
}
