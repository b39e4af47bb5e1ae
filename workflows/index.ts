export { approval } from './approval/workflow';
export { contractLine } from './contract-line/workflow';
export { dealToCash } from './deal-to-cash/workflow';
export { intake } from './intake/workflow';
export { invoiceCorrection } from './invoice-correction/workflow';
export { invoiceToCash } from './invoice-to-cash/workflow';
export { periodClose } from './period-close/workflow';
export { projectToClose } from './project-to-close/workflow';
