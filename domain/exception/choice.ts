import { type Violation } from '../violation';
import { type ExceptionOption, type ExceptionStage, type Offer } from './paths';

/** An outcome as somebody chooses it. `target` is what the option speaks of: a role, the number of a change order, a line, a cost. */
export interface Choice {
  readonly option: ExceptionOption;
  readonly evidence: string | null;
  readonly target: string | null;
  /** It comes with corrected facts. */
  readonly corrects: boolean;
}

/** Where an exception stands when an outcome is chosen for it. */
export interface ChoosableException {
  readonly stage: ExceptionStage;
  readonly offers: readonly Offer[];
  /** Its owner, and whom it was escalated to. */
  readonly askedRoles: readonly string[];
}

/**
 * The offer that a choice takes up, or why it does not stand: settled or decided already, not asked of whoever chooses
 * (`rolesHeld`: their roles where the exception is), not among what may become of this exception, or without what the option asks for. Corrected
 * facts stand for evidence, and are always approved by somebody else.
 */
export function takenOffer(exception: ChoosableException, choice: Choice, rolesHeld: readonly string[]): Offer | Violation {
  const { stage, offers, askedRoles } = exception;
  if (stage === 'settled') return { violation: 'ExceptionSettled', detail: 'it needs no outcome any more' };
  if (stage === 'decided') return { violation: 'ExceptionDecided', detail: 'an outcome was chosen, and is approved or carried out' };
  if (!askedRoles.some((role) => rolesHeld.includes(role)))
    return { violation: 'ExceptionOfOthers', detail: `it is asked of ${askedRoles.join(', ')}` };
  const offer = offers.find(({ option }) => option === choice.option);
  if (offer === undefined)
    return { violation: 'OutcomeNotOffered', detail: `offered are ${offers.map(({ option }) => option).join(', ')}`, path: '/option' };
  if (choice.corrects)
    return offer.takesCorrection === true
      ? { ...offer, needsApproval: true }
      : { violation: 'CorrectionNotTaken', detail: `${offer.option} takes no corrected facts here`, path: '/correction' };
  if (offer.needs === 'evidence' && choice.evidence === null)
    return { violation: 'EvidenceMissing', detail: `${offer.option} names what proves it`, path: '/evidence' };
  if (offer.needs !== null && offer.needs !== 'evidence' && choice.target === null)
    return { violation: 'TargetMissing', detail: `${offer.option} names a ${offer.needs.replace('-', ' ')}`, path: '/target' };
  return offer;
}
