import { type Chance } from './chance';
import { dayAfter, EVENT, eachRow, json, later, monthAfter, save, two, type DealFile, type Json } from './files';

interface Order {
  readonly lines: readonly string[];
  status: string;
  requestedAt: string;
  changes: (Json & { path: string; to: unknown; inForceFrom: string })[];
  customerApproval: { at: string };
  modificationAccounting: { answeredAt: string };
}

/** Only the change orders of some lines were agreed. */
export function withdrawOtherChangeOrders(folder: string, lines: readonly string[]): void {
  const { changeOrders } = json(folder, 'change-orders.json') as { changeOrders: Order[] };
  for (const order of changeOrders) if (!order.lines.some((line) => lines.includes(line))) order.status = 'withdrawn';
  save(folder, 'change-orders.json', { changeOrders });
}

/** Other days for all that a change order says, and other fees of what it adds; its limits are drawn with those of the lines. */
export function perturbChangeOrders(folder: string, draw: Chance): void {
  const { changeOrders } = json(folder, 'change-orders.json') as { changeOrders: Order[] };
  const { data } = json(folder, EVENT) as DealFile;
  for (const order of changeOrders.filter(({ status }) => status === 'approved')) {
    const line = data.lines.find(({ id }) => order.lines.includes(id));
    if (line?.engagementModel === 'managed-service') addOn(order, line, draw);
    else extend(folder, order, draw);
  }
  save(folder, 'change-orders.json', { changeOrders });
}

/** Some days earlier; what it brings is valid from its own days, so that nothing is worked on a task that nobody has heard of. */
function extend(folder: string, order: Order, draw: Chance): void {
  const days = -draw.whole(0, 21);
  moveMoments(order, days);
  for (const change of order.changes) change.inForceFrom = dayAfter(change.inForceFrom, days);
  for (const { path, to, inForceFrom } of order.changes) {
    const [, packageId] = path.split('.');
    if (path.endsWith('.rateCard'))
      eachRow(folder, 'rate-cards.csv', (row) => (row.card_id === to ? { ...row, valid_from: inForceFrom } : row));
    if (path.startsWith('workPackages.'))
      eachRow(folder, 'work-packages.csv', (row) => (row.wp_id === packageId ? { ...row, valid_from: inForceFrom, planned_start: inForceFrom } : row)); // prettier-ignore
  }
}

/** Asked for in the first month of the service, in force in the second or third. */
function addOn(order: Order, line: Json, draw: Chance): void {
  const start = String(line.startDate);
  const asked = `${start.slice(0, 8)}${two(draw.whole(2, 9))}`;
  moveMoments(
    order,
    Math.round((Date.parse(`${asked}T00:00:00Z`) - Date.parse(`${order.requestedAt.slice(0, 10)}T00:00:00Z`)) / 86_400_000),
  );
  const second = monthAfter(start);
  const from = `${draw.one([second, monthAfter(`${second}-01`)])}-${two(draw.whole(1, 28))}`;
  for (const change of order.changes) {
    change.inForceFrom = from;
    change.to = { monthlyFee: draw.amount(500, 6000), currency: line.currency, serviceFrom: from, serviceTo: line.endDate };
  }
}

function moveMoments(order: Order, days: number): void {
  order.requestedAt = later(order.requestedAt, days);
  order.customerApproval.at = later(order.customerApproval.at, days);
  order.modificationAccounting.answeredAt = later(order.modificationAccounting.answeredAt, days);
}
