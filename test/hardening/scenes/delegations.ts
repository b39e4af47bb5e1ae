import { of, type Firm, type Send } from '../firm';
import { type Expectations, type Scene } from './scene';

interface Given {
  readonly id: string;
  readonly state: string;
}

/** Far enough that no other scene goes by it. */
const [FROM, UNTIL] = ['2091-01-01T00:00:00Z', '2091-01-08T00:00:00Z'];
const SMALL = { amount: '100', currency: 'USD' };
const CALENDAR = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20910102', 'END:VEVENT', 'END:VCALENDAR', ''].join(
  '\r\n',
);

/** People have others decide for them, are refused for every reason there is, and say when they are away. */
export const delegations: Scene = {
  name: 'delegations',
  play: async (firm, expect) => {
    const [legal, other, finance] = [await firm.as('U-LEGAL'), await firm.as('U-LEGAL2'), await firm.as('U-FC-US')];
    const [cfo, head, german] = [await firm.as('U-CFO'), await firm.as('U-HEAD-DE'), await firm.as('U-FC-DE')];
    const wanted = { delegate: 'U-LEGAL2', role: 'legal-counsel', ceiling: SMALL, from: FROM, until: UNTIL, reason: 'travel' };
    const give = (send: Send, over: Record<string, unknown> = {}) => send('POST', '/v1/delegations', { body: { ...wanted, ...over } });
    expect.code(await give(legal, { delegate: 'U-LEGAL' }), 'DelegationToOneself');
    expect.code(await give(legal, { delegate: 'U-NOBODY' }), 'DelegateUnknown');
    expect.code(await give(legal, { role: 'operator' }), 'RoleDecidesNothing');
    expect.code(await give(legal, { role: 'cfo' }), 'RoleNotHeld');
    expect.code(await give(legal, { until: FROM }), 'DelegationUpsideDown');
    expect.code(await give(legal, { from: '2020-01-01T00:00:00Z' }), 'DelegationInPast');
    expect.code(await give(legal, { until: '2093-01-01T00:00:00Z' }), 'DelegationTooLong');
    expect.code(await give(legal, { ceiling: { ...SMALL, currency: 'EUR' } }), 'DelegationCurrencyWrong');
    expect.code(await give(finance, { role: 'finance-controller', ceiling: { ...SMALL, amount: '2000001' } }), 'DelegationCeilingTooHigh');
    const first = of<Given>(await give(legal), 201);
    expect.same(first.state, 'scheduled', 'a delegation within every bound');
    expect.code(await give(other, { delegate: 'U-LEGAL' }), 'DelegationLoop');
    await chain(firm, expect, (send, over) => give(send, { role: 'procurement-lead', ...over }));
    expect.code(await legal('GET', '/v1/delegations/nobodys'), 'DelegationUnknown');
    expect.status(await legal('GET', '/v1/delegations?delegator=U-LEGAL'), 200);
    expect.status(await other('GET', `/v1/delegations/${first.id}`), 200);
    expect.code(await german('DELETE', '/v1/delegations/DEL-01'), 'DelegationOfMasterData');
    const asked = of<Given>(await give(cfo, { role: 'cfo', delegate: 'U-CEO', ceiling: null }), 201);
    expect.code(await cfo('POST', `/v1/delegations/${asked.id}/decision`, { body: { verdict: 'grant' } }), 'DelegationOwnDecision');
    const wide = of<Given>(await give(legal, { ceiling: null, from: '2092-01-01T00:00:00Z', until: '2092-01-08T00:00:00Z' }), 201);
    const decision = `/v1/delegations/${wide.id}/decision`;
    expect.status(await head('POST', decision, { body: { verdict: 'grant' } }), 200);
    expect.code(await cfo('POST', decision, { body: { verdict: 'grant' } }), 'DelegationSettled');
    for (const { id } of [first, wide]) expect.status(await legal('DELETE', `/v1/delegations/${id}`), 200);
    expect.status(await cfo('DELETE', `/v1/delegations/${asked.id}`), 200);
    await absences(firm, expect, give);
  },
};

type Give = (send: Send, over: Record<string, unknown>) => ReturnType<Send>;

/** A role is passed on once and, by the policy of the firm, not twice. */
async function chain(firm: Firm, expect: Expectations, give: Give): Promise<void> {
  const [first, second, third] = [await firm.as('U-PROC'), await firm.as('U-FC-DE'), await firm.as('U-FC-JP')];
  const one = of<Given>(await give(first, { delegate: 'U-FC-DE' }), 201);
  const two = of<Given>(await give(second, { delegate: 'U-FC-JP' }), 201);
  expect.code(await give(third, { delegate: 'U-FC-SG' }), 'DelegationTooDeep');
  of(await second('DELETE', `/v1/delegations/${two.id}`), 200);
  of(await first('DELETE', `/v1/delegations/${one.id}`), 200);
}

async function absences(firm: Firm, expect: Expectations, give: Give): Promise<void> {
  const [legal, head] = [await firm.as('U-LEGAL'), await firm.as('U-HEAD-DE')];
  const url = '/v1/people/U-LEGAL/absences';
  const standIn = of<Given>(await give(legal, { delegate: 'U-HEAD-DE', whenAway: true }), 201);
  expect.code(await head('PUT', url, { body: { absences: [] } }), 'AbsenceOfStoodInFor');
  expect.code(await legal('PUT', '/v1/people/U-NOBODY/absences', { body: { absences: [] } }), 'PersonUnknown');
  expect.code(await legal('PUT', url, { raw: CALENDAR.replace('20910102', '20910199'), type: 'text/calendar' }), 'CalendarInvalid');
  expect.status(await legal('PUT', url, { raw: CALENDAR, type: 'text/calendar' }), 200);
  expect.status(await legal('PUT', url, { body: { absences: [{ from: FROM, until: UNTIL }] } }), 200);
  expect.status(await legal('GET', url), 200);
  of(await legal('DELETE', `/v1/delegations/${standIn.id}`), 200);
}
