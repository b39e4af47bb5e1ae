import { decisionLinks } from './scenes/decision-links';
import { delegations } from './scenes/delegations';
import { delivery } from './scenes/delivery';
import { door } from './scenes/door';
import { endings } from './scenes/endings';
import { events } from './scenes/events';
import { exceptions } from './scenes/exceptions';
import { files } from './scenes/files';
import { notifications } from './scenes/notifications';
import { outages } from './scenes/outages';
import { policies } from './scenes/policies';
import { privacy } from './scenes/privacy';
import { type Scene } from './scenes/scene';
import { subcontractors } from './scenes/subcontractors';
import { talk } from './scenes/talk';
import { terms } from './scenes/terms';

/** In their order: later ones go on with the deals of earlier ones. */
export const scenes: readonly Scene[] = [
  door,
  events,
  terms,
  talk,
  delivery,
  files,
  endings,
  policies,
  delegations,
  notifications,
  exceptions,
  subcontractors,
  decisionLinks,
  privacy,
  outages,
];
