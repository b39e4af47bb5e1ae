import { type AuditExport } from '../../contracts/api/audit-export';
import { type AuditContent, entryHash, GENESIS } from '../audit';
import { anchorHash, hashOfHeadHashes, headHash } from '../audit-anchor';
import { commitmentOf, hashOf } from '../hash';

type Entry = AuditExport['entries'][number];

/**
 * Checks an exported file by itself and names what does not fit, the first of each kind of thing first; nothing where all fits. Whether the
 * anchor is one of the system's says an anchor noted elsewhere, or `audit:verify --anchor` there.
 */
export function checkExport(file: AuditExport): string[] {
  return [
    ...(contentHashOf(file) === file.contentHash ? [] : ['the content does not give its hash']),
    ...chainProblems(file),
    ...file.entries.flatMap(entryProblems),
    ...file.policies
      .filter(({ body, bodyHash }) => hashOf(body) !== bodyHash)
      .map(({ kind, version }) => `policy ${kind} ${version}: another body`),
    ...file.approvals.flatMap(approvalProblems),
    ...anchorProblems(file),
  ];
}

/** Hash of what a file says; who made the file and when is not part of it. */
export function contentHashOf(file: object): string {
  return hashOf(Object.fromEntries(Object.entries(file).filter(([name]) => !['contentHash', 'exportedAt', 'exportedBy'].includes(name))));
}

function chainProblems({ entries, part, verification }: AuditExport): string[] {
  let previous = part.after === 0 ? GENESIS : null;
  let sequence = part.after;
  for (const entry of entries) {
    sequence += 1;
    if (entry.sequence !== sequence) return [`entry ${sequence} is missing`];
    if (previous !== null && entry.previousHash !== previous) return [`entry ${sequence} does not follow the one before`];
    previous = entry.hash;
  }
  if (sequence !== part.last) return [`the last entry is ${sequence}, not ${part.last}`];
  if (part.nextAfter !== null || previous === null) return [];
  return sequence === verification.entries && previous === verification.hash
    ? []
    : ['the entries do not end with that of the verification'];
}

function entryProblems({ sequence, previousHash, hash, content, told, texts }: Entry): string[] {
  if (content === null) return [];
  if (entryHash(previousHash, content) !== hash) return [`entry ${sequence} does not give its hash`];
  const said = JSON.parse(content) as AuditContent;
  const { at, recordedAt, actor, action, subject, entityId = null } = said;
  if (hashOf({ at, recordedAt, actor, action, subject, entityId }) !== hashOf(told)) return [`entry ${sequence} says something else`];
  return texts.flatMap(({ says, id, text, salt, purpose }) => {
    const known = said.texts?.[says];
    if (known?.id !== id) return [`entry ${sequence} has no text ${says}`];
    if (text === null || salt === null || purpose === null) return [];
    return commitmentOf(salt, purpose, text) === known.commitment ? [] : [`entry ${sequence} has other words of ${says}`];
  });
}

function approvalProblems({ id, shown, isWhole, shownHash, decisions }: AuditExport['approvals'][number]): string[] {
  if (isWhole && hashOf(shown) !== shownHash) return [`approval ${id}: something else was shown`];
  return decisions.filter((each) => each.shownHash !== shownHash).map(({ decisionId }) => `decision ${decisionId} was on something else`);
}

function anchorProblems({ entries, verification: { stream, anchor } }: AuditExport): string[] {
  if (anchor === null) return [];
  const own = headHash({ stream, ...anchor.head });
  if (anchorHash(anchor) !== anchor.hash) return ['the anchor does not give its hash'];
  if (hashOfHeadHashes(anchor.headHashes) !== anchor.headsHash || !anchor.headHashes.includes(own))
    return ['the anchor does not seal the stream'];
  const sealed = entries.find(({ sequence }) => sequence === anchor.head.sequence);
  return sealed === undefined || sealed.hash === anchor.head.hash ? [] : [`the anchor seals another entry ${sealed.sequence}`];
}
