import { type Permission } from '../domain/access';

/**
 * What a route asks for: any of some permissions (`reach: 'group'` where its subject belongs to no single entity), a signature over the
 * body, a link that was sent to a person, only to be somebody, or nothing.
 */
export type Access =
  | { readonly kind: 'permission'; readonly anyOf: readonly Permission[]; readonly reach?: 'group' }
  | { readonly kind: 'signature' | 'link' | 'signed-in' | 'public' };

const needs = (...anyOf: readonly Permission[]): Access => ({ kind: 'permission', anyOf });
const needsGroup = (...anyOf: readonly Permission[]): Access => ({ kind: 'permission', anyOf, reach: 'group' });
const signature: Access = { kind: 'signature' };
const link: Access = { kind: 'link' };
const BRINGS_FILES: readonly Permission[] = ['time.report', 'expense.report', 'usage.report', 'subcontractor-cost.report'];
const open: Access = { kind: 'public' };

/** The one table of rights: a route without an entry does not start, and a test plays every entry against every role and scope. */
export const routeAccess: Readonly<Record<string, Access>> = {
  'GET /livez': open,
  'GET /readyz': open,
  'GET /metrics': open,
  'GET /openapi.json': open,
  'POST /v1/dev/token': open,
  'GET /v1/me': { kind: 'signed-in' },
  'GET /v1/me/notification-preferences': { kind: 'signed-in' },
  'PUT /v1/me/notification-preferences': { kind: 'signed-in' },

  'POST /webhooks/cloudevents': signature,
  'POST /webhooks/hubspot': signature,
  'POST /webhooks/salesforce/outbound-message': signature,
  'POST /webhooks/salesforce/change-events': signature,

  'GET /v1/inbox-events': needsGroup('inbox.read'),
  'GET /v1/inbox-events/:id': needsGroup('inbox.read'),
  'POST /v1/inbox-events/:id/replay': needsGroup('inbox.replay'),
  'POST /v1/master-data': needsGroup('master-data.write'),
  'POST /v1/api-keys': needsGroup('api-key.write'),
  'DELETE /v1/api-keys/:id': needsGroup('api-key.write'),
  'GET /v1/webhook-endpoints': needsGroup('notification.read'),
  'POST /v1/webhook-endpoints': needsGroup('webhook-endpoint.write'),
  'DELETE /v1/webhook-endpoints/:id': needsGroup('webhook-endpoint.write'),
  'GET /v1/notifications/dead': needsGroup('notification.read'),
  'POST /v1/notifications/:id/replay': needsGroup('notification.replay'),

  'GET /v1/deals': needs('deal.read'),
  'GET /v1/deals/:dealId': needs('deal.read'),
  'GET /v1/deals/:dealId/delivery-plan': needs('deal.read', 'estimate.report'),
  'PUT /v1/deals/:dealId/delivery-plan': needs('estimate.report'),
  'POST /v1/deals/:dealId/handoff/recheck': needs('deal.complete-handoff'),
  'POST /v1/deals/:dealId/sow-proposals': needs('sow.propose'),
  'GET /v1/deals/:dealId/sow-proposals': needs('deal.read'),
  'POST /v1/deals/:dealId/cancellation': needs('deal.cancel'),
  'POST /v1/deals/:dealId/change-orders': needs('change.request'),
  'GET /v1/deals/:dealId/change-orders': needs('deal.read'),
  'GET /v1/deals/:dealId/change-orders/:id': needs('deal.read'),
  'POST /v1/deals/:dealId/change-orders/:id/customer-approval': needs('change.request'),
  'POST /v1/deals/:dealId/change-orders/:id/modification-accounting': needs('change.account'),
  'POST /v1/deals/:dealId/change-orders/:id/withdrawal': needs('change.request'),
  'GET /v1/deals/:dealId/contract-versions': needs('deal.read'),

  'GET /v1/approvals': needs('approval.read'),
  'GET /v1/approvals/:id': needs('approval.read'),
  'POST /v1/decisions': needs('approval.decide'),
  'POST /v1/approvals/:id/decisions': needs('approval.decide'),
  'POST /v1/approvals/:id/withdrawal': needs('approval.read'),
  'POST /v1/approvals/:id/recusal': needs('approval.decide'),
  'POST /v1/approvals/:id/questions': needs('approval.decide'),
  'POST /v1/approvals/:id/answers': needs('approval.read'),
  'POST /v1/approvals/:id/conditions/:conditionId/fulfilment': needs('approval.read'),
  'POST /v1/approvals/:id/conditions/:conditionId/waiver': needs('approval.read'),

  'POST /v1/approvals/:id/break-glass': needs('approval.decide'),
  'GET /v1/break-glass': needs('approval.decide', 'break-glass.decide', 'audit.read'),
  'GET /v1/break-glass/:id': needs('approval.decide', 'break-glass.decide', 'audit.read'),
  'POST /v1/break-glass/:id/decision': needs('break-glass.decide'),

  'GET /decide/:token': link,
  'POST /decide/:token': link,

  'POST /v1/delegations': needs('delegation.give'),
  'GET /v1/delegations': needs('approval.read'),
  'GET /v1/delegations/:id': needs('approval.read'),
  'POST /v1/delegations/:id/decision': needs('delegation.decide'),
  'DELETE /v1/delegations/:id': needs('delegation.give', 'delegation.decide'),
  'GET /v1/people/:userId/absences': { kind: 'signed-in' },
  'PUT /v1/people/:userId/absences': { kind: 'signed-in' },

  'GET /v1/personal-data/register': needs('erasure.read'),
  'GET /v1/people/:userId/personal-data': { kind: 'signed-in' },
  'POST /v1/people/:userId/erasure': needs('erasure.request'),
  'GET /v1/people/:userId/erasure': needs('erasure.read'),
  'POST /v1/people/:userId/erasure/decision': needs('erasure.decide'),
  'GET /v1/erasures': needs('erasure.read'),
  'POST /v1/legal-holds': needsGroup('legal-hold.place'),
  'GET /v1/legal-holds': needsGroup('legal-hold.read'),
  'GET /v1/legal-holds/:id': needsGroup('legal-hold.read'),
  'POST /v1/legal-holds/:id/release': needsGroup('legal-hold.release'),

  'GET /v1/projects': needs('project.read'),
  'GET /v1/projects/:id': needs('project.read'),
  'POST /v1/projects/:id/sign-off': needs('project.sign-off'),
  'POST /v1/projects/:id/recheck': needs('project.sign-off'),

  'GET /v1/contract-lines/:id': needs('deal.read'),
  'POST /v1/contract-lines/:id/milestones/:milestoneId/deliveries': needs('milestone.deliver'),
  'POST /v1/contract-lines/:id/milestones/:milestoneId/responses': needs('milestone.respond'),
  'POST /v1/contract-lines/:id/usage-reports': needs('usage.report'),
  'POST /v1/contract-lines/:id/releases': needs('billing.release'),
  'POST /v1/contract-lines/:id/waivers': needs('billing.waive'),
  'POST /v1/contract-lines/:id/runs': needs('billing.release'),
  'GET /v1/contract-lines/:id/runs': needs('invoice.read'),
  'GET /v1/contract-lines/:id/drawdown': needs('deal.read', 'invoice.read'),
  'GET /v1/contract-lines/:id/settlements': needs('invoice.read'),
  'GET /v1/deals/:dealId/billable-time': needs('invoice.read'),
  'GET /v1/deals/:dealId/policy-findings': needs('deal.read'),
  'POST /v1/time-entries': needs('time.report'),
  'POST /v1/deals/:dealId/time-entries': needs('time.report'),
  'POST /v1/deals/:dealId/expenses': needs('expense.report'),
  'POST /v1/deals/:dealId/usage-reports': needs('usage.report'),
  'POST /v1/deals/:dealId/subcontractor-costs': needs('subcontractor-cost.report'),
  'GET /v1/deals/:dealId/subcontractor-costs': needs('cost.read'),
  'GET /v1/deals/:dealId/subcontractor-spend': needs('cost.read'),
  'GET /v1/intake-batches/:id': needs(...BRINGS_FILES, 'inbox.read'),
  'GET /v1/intake-batches/:id/errors': needs(...BRINGS_FILES, 'inbox.read'),
  'GET /v1/intake-batches/:id/errors.csv': needs(...BRINGS_FILES, 'inbox.read'),

  'GET /v1/invoices': needs('invoice.read'),
  'GET /v1/invoices/:id': needs('invoice.read'),
  'GET /v1/invoices/:id/document': needs('invoice.read'),
  'POST /v1/invoices/:id/holds': needs('collection.manage'),
  'DELETE /v1/invoices/:id/holds/:holdId': needs('collection.manage'),
  'POST /v1/invoices/:id/disputes': needs('collection.manage'),
  'POST /v1/invoices/:id/disputes/:disputeId/resolution': needs('dispute.resolve'),
  'POST /v1/invoices/:id/corrections': needs('invoice.correct'),

  'POST /v1/bank-statements': needsGroup('bank-statement.import'),
  'GET /v1/bank-statements': needs('payment.read'),
  'GET /v1/payments': needs('payment.read'),
  'GET /v1/receivables': needs('invoice.read'),

  'GET /v1/entities/:entityId/periods': needs('books.read'),
  'GET /v1/entities/:entityId/trial-balance': needs('books.read'),
  'GET /v1/deals/:dealId/revenue': needs('books.read', 'margin.read'),
  'GET /v1/deals/:dealId/contract-balances': needs('books.read', 'margin.read'),
  'POST /v1/deals/:dealId/forecasts': needs('estimate.report'),
  'GET /v1/receivables/interest': needs('invoice.read'),

  'GET /v1/policies': needs('policy.read'),
  'GET /v1/policies/:kind/in-force': needs('policy.read'),
  'GET /v1/policies/:kind/versions': needs('policy.read'),
  'GET /v1/policies/:kind/versions/:id': needs('policy.read'),
  'GET /v1/policies/:kind/versions/:id/differences': needs('policy.read'),
  'GET /v1/policies/:kind/changes': needs('policy.read'),
  'GET /v1/policies/:kind/changes/:id': needs('policy.read'),
  'POST /v1/policies/:kind/changes': needs('policy.propose'),
  'POST /v1/policies/:kind/versions/:id/withdrawal': needs('policy.propose'),

  'GET /v1/duties/conflicts': needs('duties.read'),

  'GET /v1/process/open-work': needs('process.read'),
  'GET /v1/process/handoffs': needs('process.read'),
  'GET /v1/process/sla': needs('process.read'),
  'GET /v1/process/breaches': needs('process.read'),
  'GET /v1/process/approvals': needs('process.read'),
  'GET /v1/process/rework': needs('process.read'),

  'GET /v1/waits': needs('deal.read', 'run.read'),
  'GET /v1/runs/:workflowId': needs('run.read'),
  'GET /v1/exceptions': needs('run.read', 'exception.resolve'),
  'GET /v1/exceptions/:id': needs('run.read', 'exception.resolve'),
  'GET /v1/exceptions/:id/items': needs('run.read', 'exception.resolve'),
  'POST /v1/exceptions/:id/outcome': needs('exception.resolve'),
  'GET /v1/deals/:dealId/audit-export': needs('audit.export'),
  'GET /v1/audit/field-access': needs('field-access.read'),
  'GET /v1/audit': needs('audit.read'),
  'GET /v1/audit/streams': needs('audit.read'),
  'GET /v1/audit/verification': needs('audit.read'),
};
