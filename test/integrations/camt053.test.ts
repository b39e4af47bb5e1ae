import fc from 'fast-check';
import { type StatementFileRead, parseCamt053 } from '../../integrations/bank/camt053';
import { writeCamt053 } from '../../integrations/bank/camt053-writer';
import { type BankEntry, type BankStatement, type BankStatementFile, type BankTransaction } from '../../integrations/bank/statement';
import { referenceBytes } from './reference-deal';

const april = () => referenceBytes('bank/2026-04.camt053.xml').toString('utf8');

function fileOf(read: StatementFileRead): BankStatementFile {
  if (read.kind !== 'read') throw new Error(JSON.stringify(read.violations));
  return read.file;
}

/** `violation path` of everything a refused file was refused for. */
function refusalsOf(document: string | Buffer): string[] {
  const read = parseCamt053(document);
  if (read.kind !== 'refused') throw new Error('not refused');
  return read.violations.map(({ violation, path }) => `${violation} ${path ?? ''}`);
}

const inStatement = (index: number, rest: string) => `/BkToCstmrStmt/Stmt[${index}]${rest}`;

describe('a bank statement file', () => {
  it.each(['2026-04', '2026-05', '2026-06'])('of %s is read and balances', (month) => {
    const file = fileOf(parseCamt053(referenceBytes(`bank/${month}.camt053.xml`)));
    expect(file.statements.map(({ currency }) => currency)).toEqual(['USD', 'EUR', 'SGD', 'JPY']);
    for (const { openingMinor, closingMinor, entries, from, to } of file.statements) {
      const moved = entries.reduce((sum, entry) => sum + (entry.direction === 'credit' ? entry.amount.minor : -entry.amount.minor), 0);
      expect(openingMinor + moved).toBe(closingMinor);
      expect([from.slice(0, 7), to.slice(0, 7)]).toEqual([month, month]);
    }
  });

  it('tells what was paid for which reference', () => {
    const { messageId, createdAt, statements } = fileOf(parseCamt053(april()));
    expect([messageId, createdAt]).toEqual(['FHLW-2026-04-0001', '2026-05-01T04:00:00.000Z']);
    expect(statements[0]).toMatchObject({
      statementId: 'LE-US-2026-04',
      sequence: 1,
      account: '000481920377',
      openingMinor: 41_250_000,
      unbookedEntries: 0,
    });
    expect(statements[0]!.entries[0]).toEqual({
      entryRef: '2026-04-001',
      amount: { minor: 8_320_000, currency: 'USD' },
      direction: 'credit',
      reversal: false,
      status: 'booked',
      bookedOn: '2026-04-07',
      valueOn: '2026-04-07',
      bankReference: 'FH202604US0001',
      information: null,
      transactions: [
        {
          endToEndId: 'TSRUS-260407-01',
          amount: { minor: 8_320_000, currency: 'USD' },
          debtorName: 'TESSARINE FREIGHT HOLDINGS INC.',
          creditorName: null,
          structured: [
            { reference: 'TSR26-L1-M1', amount: { minor: 7_200_000, currency: 'USD' } },
            { reference: 'TSR26-L6-2026-02', amount: { minor: 560_000, currency: 'USD' } },
            { reference: 'TSR26-L6-2026-03', amount: { minor: 560_000, currency: 'USD' } },
          ],
          freeText: '',
        },
      ],
    });
    expect(statements[0]!.entries[1]).toMatchObject({ direction: 'debit', information: 'Account maintenance', transactions: [] });
    expect(statements[1]).toMatchObject({ account: 'DE60999900100048192037', currency: 'EUR' });
    expect(statements[3]!.entries[0]).toMatchObject({ amount: { minor: 880, currency: 'JPY' } });
  });

  it('tells batches, reversals, and payments without a reference of the payer', () => {
    const may = fileOf(parseCamt053(referenceBytes('bank/2026-05.camt053.xml')));
    expect(may.statements[0]!.entries[1]!.transactions.map((each) => [each.endToEndId, each.amount.minor])).toEqual([
      ['TSRUS-260527-04', 9_600_000],
      ['TSRUS-260527-05', 560_000],
    ]);
    const june = fileOf(parseCamt053(referenceBytes('bank/2026-06.camt053.xml')));
    expect(june.statements[0]!.entries[1]).toMatchObject({
      direction: 'debit',
      reversal: true,
      transactions: [{ endToEndId: 'TSRUS-260608-06', freeText: 'RETURN OF PAYMENT 2026-06-08' }],
    });
    expect(june.statements[1]!.entries[0]!.transactions[0]).toMatchObject({
      endToEndId: null,
      freeText: 'VIREMENT FOURNISSEUR',
      structured: [],
    });
    expect(june.statements[1]!.entries[1]!.transactions[0]).toMatchObject({ creditorName: 'Datenbrueckenbau UG', debtorName: null });
  });

  it('does not count entries that are not booked yet', () => {
    const pending = april().replace(
      '<Ntry>',
      '<Ntry><Amt Ccy="USD">999.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts></Ntry><Ntry>',
    );
    const [statement] = fileOf(parseCamt053(pending)).statements;
    expect(statement).toMatchObject({ unbookedEntries: 1 });
    expect(statement!.entries).toEqual(fileOf(parseCamt053(april())).statements[0]!.entries);
  });

  it('is read in the shapes of older versions, with prefixes, comments and CDATA', () => {
    const old = april()
      .replace('camt.053.001.08', 'camt.053.001.02')
      .replaceAll('<Sts><Cd>BOOK</Cd></Sts>', '<Sts>BOOK</Sts>')
      .replaceAll(/<(Dbtr|Cdtr)><Pty>(.*?)<\/Pty>/g, '<$1>$2')
      .replaceAll(/(<Refs>.*?<\/Refs>)(<Amt .*?<\/Amt>)/g, '$1<AmtDtls><TxAmt>$2</TxAmt></AmtDtls>');
    expect(fileOf(parseCamt053(old))).toEqual(fileOf(parseCamt053(april())));
    const prefixed = april()
      .replace('xmlns=', 'xmlns:c=')
      .replaceAll(/<(\/?)(?=[A-Z])/g, '<$1c:')
      .replace('Account maintenance', '<!-- a < b -->Account <![CDATA[main]]>tenance');
    expect(fileOf(parseCamt053(prefixed))).toEqual(fileOf(parseCamt053(april())));
    const padded = april().replaceAll('>880<', '>0880.00<');
    expect(fileOf(parseCamt053(padded))).toEqual(fileOf(parseCamt053(april())));
  });
});

describe('a bank statement file that is refused whole', () => {
  const entry = inStatement(1, '/Ntry[1]');
  it.each<[string, [string, string][], string[]]>([
    [
      'an entry of another amount',
      [
        [
          '<Amt Ccy="USD">83200.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>\n    <Sts>',
          '<Amt Ccy="USD">83200.01</Amt><CdtDbtInd>CRDT</CdtDbtInd>\n    <Sts>',
        ],
      ],
      [`EntryUnbalanced ${entry}/NtryDtls`],
    ],
    ['a closing balance that does not follow', [['501255.00', '501255.01']], [`StatementUnbalanced ${inStatement(1, '')}`]],
    [
      'a count that differs',
      [['<NbOfNtries>2</NbOfNtries>', '<NbOfNtries>3</NbOfNtries>']],
      [`SummaryMismatch ${inStatement(1, '/TxsSummry/TtlCdtNtries/NbOfNtries')}`],
    ],
    [
      'a sum that differs',
      [['<Sum>88800.00</Sum>', '<Sum>88800.1</Sum>']],
      [`SummaryMismatch ${inStatement(1, '/TxsSummry/TtlCdtNtries/Sum')}`],
    ],
    [
      'another currency in an entry',
      [['<Amt Ccy="USD">45.00</Amt>', '<Amt Ccy="EUR">45.00</Amt>']],
      [`CurrencyMismatch ${inStatement(1, '/Ntry[2]/Amt')}`],
    ],
    [
      'another currency in a balance',
      [['<Amt Ccy="USD">412500.00</Amt>', '<Amt Ccy="EUR">412500.00</Amt>']],
      [`CurrencyMismatch ${inStatement(1, '/Bal[1]/Amt')}`],
    ],
    [
      'an amount with a fraction of a cent',
      [['<Amt Ccy="USD">45.00</Amt>', '<Amt Ccy="USD">45.001</Amt>']],
      [`MoneyTooPrecise ${inStatement(1, '/Ntry[2]/Amt')}`],
    ],
    [
      'an amount with an exponent',
      [['<Amt Ccy="USD">45.00</Amt>', '<Amt Ccy="USD">4.5e1</Amt>']],
      [`AmountMalformed ${inStatement(1, '/Ntry[2]/Amt')}`],
    ],
    [
      'a negative amount',
      [['<Amt Ccy="USD">45.00</Amt>', '<Amt Ccy="USD">-45.00</Amt>']],
      [`AmountMalformed ${inStatement(1, '/Ntry[2]/Amt')}`],
    ],
    [
      'an amount beyond all accounts',
      [['<Amt Ccy="USD">45.00</Amt>', '<Amt Ccy="USD">99999999999999999.00</Amt>']],
      [`MoneyTooLarge ${inStatement(1, '/Ntry[2]/Amt')}`],
    ],
    ['an unknown status', [['<Cd>BOOK</Cd>', '<Cd>GONE</Cd>']], [`StatusUnknown ${entry}/Sts`]],
    ['an unknown direction', [['CRDT</CdtDbtInd>\n    <Sts>', 'UP</CdtDbtInd>\n    <Sts>']], [`DirectionUnknown ${entry}/CdtDbtInd`]],
    [
      'a transaction against its entry',
      [['</Refs><Amt Ccy="USD">83200.00</Amt><CdtDbtInd>CRDT', '</Refs><Amt Ccy="USD">83200.00</Amt><CdtDbtInd>DBIT']],
      [`DirectionMismatch ${entry}/NtryDtls[1]/TxDtls[1]/CdtDbtInd`],
    ],
    [
      'a date that does not exist',
      [['<BookgDt><Dt>2026-04-07</Dt></BookgDt>', '<BookgDt><Dt>2026-04-31</Dt></BookgDt>']],
      [`DateMalformed ${entry}/BookgDt`],
    ],
    ['no booking date', [['<BookgDt><Dt>2026-04-07</Dt></BookgDt>', '']], [`ElementMissing ${entry}/BookgDt`]],
    ['no opening balance', [['OPBD', 'XXXX']], [`ElementMissing ${inStatement(1, '/Bal')}`]],
    [
      'two closing balances',
      [['OPBD', 'CLBD']],
      [`BalanceRepeated ${inStatement(1, '/Bal[1]')}`, `ElementMissing ${inStatement(1, '/Bal')}`],
    ],
    ['no account', [['<Othr><Id>000481920377</Id></Othr>', '']], [`ElementMissing ${inStatement(1, '/Acct/Id/Othr/Id')}`]],
    ['a statement twice', [['LE-DE-2026-04', 'LE-US-2026-04']], ['StatementRepeated /BkToCstmrStmt/Stmt[2]/Id']],
    ['an entry twice', [['2026-04-002', '2026-04-001']], [`EntryRepeated ${inStatement(1, '/Ntry')}`]],
    [
      'a period that ends before it begins',
      [['<FrDtTm>2026-04-01', '<FrDtTm>2026-05-01']],
      [`PeriodReversed ${inStatement(1, '/FrToDt')}`],
    ],
    ['another kind of message', [['camt.053.001.08', 'camt.054.001.08']], ['NamespaceUnknown /']],
    ['no message id', [['FHLW-2026-04-0001', '']], ['ElementMissing /BkToCstmrStmt/GrpHdr/MsgId']],
    [
      'two faults in two statements, both told',
      [
        ['501255.00', '501255.01'],
        ['448564.34', '448564.35'],
      ],
      [`StatementUnbalanced ${inStatement(1, '')}`, `StatementUnbalanced ${inStatement(2, '')}`],
    ],
    ['a tag that is not closed', [['</Stmt>', '']], ['XmlMalformed ']],
    ['a document type', [['<Document', '<!DOCTYPE d><Document']], ['XmlUnsafe ']],
    ['another encoding', [['UTF-8', 'ISO-8859-1']], ['XmlMalformed ']],
  ])('has %s', (_, changes, expected) => {
    const changed = changes.reduce((text, [from, to]) => text.replace(from, to), april());
    expect(changed).not.toBe(april());
    expect(refusalsOf(changed).sort()).toEqual(expected);
  });

  it('has a batch that does not sum to its entry, or to its own total', () => {
    const may = referenceBytes('bank/2026-05.camt053.xml').toString('utf8');
    expect(refusalsOf(may.replace('<Amt Ccy="USD">96000.00</Amt>', '<Amt Ccy="USD">96000.01</Amt>'))).toEqual([
      `BatchUnbalanced ${inStatement(1, '/Ntry[2]/NtryDtls[1]/Btch/TtlAmt')}`,
      `EntryUnbalanced ${inStatement(1, '/Ntry[2]/NtryDtls')}`,
    ]);
    expect(refusalsOf(may.replace('<NbOfTxs>2', '<NbOfTxs>3'))).toEqual([
      `BatchUnbalanced ${inStatement(1, '/Ntry[2]/NtryDtls[1]/Btch/NbOfTxs')}`,
    ]);
  });

  it('is hostile: expanding entities, deep nesting, floods and wrong bytes end at once', () => {
    const laughs = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n} "${`&l${n - 1};`.repeat(10)}">`).join('')}]>`;
    const hostile: (string | Buffer)[] = [
      `<?xml version="1.0"?>${laughs}<Document>&l8;</Document>`,
      '<a>'.repeat(200_000),
      `${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}`,
      `<a ${'b="c" '.repeat(150_000)}/>`,
      `<a ${'b'.repeat(900_000)}`,
      `<a b="${' '.repeat(900_000)}`,
      `<a${' '.repeat(900_000)}>`,
      `<a>${'&'.repeat(900_000)}</a>`,
      `<a>${'&amp;'.repeat(200_000)}</a>`,
      `<a>${'<![CDATA['.repeat(100_000)}`,
      `<a>${'<!--'.repeat(200_000)}`,
      `<a>${'<?p '.repeat(200_000)}`,
      `<a>${'<b/>'.repeat(200_000)}</a>`,
      `<a>${']]>'.repeat(300_000)}</a>`,
      april().replace('<Ntry>', `<Ntry>${'<x>'.repeat(60)}${'</x>'.repeat(60)}`),
      april().replace('camt.053', '&#0;'),
      april().replace('Account', '&#x110000;'),
      april().replace('Account', '\u0000'),
      Buffer.from(april(), 'utf16le'),
      Buffer.concat([Buffer.from(april()), Buffer.from([0xc3, 0x28])]),
      '',
      ' '.repeat(2 * 1024 * 1024),
    ];
    for (const document of hostile) {
      const started = performance.now();
      expect(parseCamt053(document)).toMatchObject({ kind: 'refused' });
      expect(performance.now() - started).toBeLessThan(3000);
    }
  });

  it('may be any text: it is read or refused, and never throws', () => {
    const text = april();
    const cut = fc.record({
      at: fc.nat(text.length),
      drop: fc.nat(60),
      put: fc.oneof(
        fc.string({ maxLength: 12 }),
        fc.constantFrom(
          '<',
          '>',
          '&',
          '</Ntry>',
          '<Ntry>',
          '"',
          '<!--',
          ']]>',
          '<![CDATA[',
          'Ccy=""',
          '0',
          '-',
          '\u0000',
          '__proto__',
          '<__proto__/>',
          '<constructor>',
        ),
      ),
    });
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 4 }), (cuts) => {
        const mutated = cuts.reduce((document, { at, drop, put }) => document.slice(0, at) + put + document.slice(at + drop), text);
        const read = parseCamt053(mutated);
        if (read.kind === 'refused') expect(read.violations.length).toBeGreaterThan(0);
        else expect(read.file.statements.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        (document) => expect(parseCamt053(document).kind).toBe('refused'),
      ),
    );
  });
});

describe('a statement that we write', () => {
  const text = (max: number) =>
    fc
      .string({
        unit: fc.oneof(
          fc.constantFrom('<', '>', '&', '"', "'", ']', ' ', 'é', '日', '😀', '\n'),
          fc.string({ minLength: 1, maxLength: 1 }),
        ),
        minLength: 1,
        maxLength: max,
      })
      .map((value) => value.trim())
      .filter((value) => value !== '' && value.length <= max && value !== 'NOTPROVIDED');
  const date = fc
    .date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true })
    .map((day) => day.toISOString().slice(0, 10));
  const money = (currency: string) => fc.integer({ min: 1, max: 10 ** 12 }).map((minor) => ({ minor, currency }));
  const transaction = (currency: string): fc.Arbitrary<BankTransaction> =>
    fc.record({
      endToEndId: fc.option(text(35)),
      amount: money(currency),
      debtorName: fc.option(text(70)),
      creditorName: fc.option(text(70)),
      structured: fc.array(fc.record({ reference: text(35), amount: fc.option(money(currency)) }), { maxLength: 3 }),
      freeText: fc.oneof(fc.constant(''), text(100)),
    });
  const entry = (currency: string): fc.Arbitrary<Omit<BankEntry, 'entryRef'>> =>
    fc
      .record({
        alone: money(currency),
        direction: fc.constantFrom('credit' as const, 'debit' as const),
        reversal: fc.boolean(),
        status: fc.constant('booked' as const),
        bookedOn: date,
        valueOn: date,
        bankReference: fc.option(text(35)),
        information: fc.option(text(100)),
        transactions: fc.array(transaction(currency), { maxLength: 3 }),
      })
      .map(({ alone, ...rest }) => {
        const sum = rest.transactions.reduce((total, each) => total + each.amount.minor, 0);
        return { ...rest, amount: rest.transactions.length === 0 ? alone : { minor: sum, currency } };
      });
  const statement: fc.Arbitrary<BankStatement> = fc.constantFrom('USD', 'EUR', 'JPY', 'KWD').chain((currency) =>
    fc
      .record({
        statementId: text(35),
        sequence: fc.option(fc.nat(9999)),
        account: fc.constantFrom('DE60999900100048192037', '000481920377'),
        currency: fc.constant(currency),
        from: fc.constant('2026-01-01'),
        to: fc.constant('2027-12-31'),
        openingMinor: fc.integer({ min: -(10 ** 12), max: 10 ** 12 }),
        entries: fc.array(entry(currency), { maxLength: 4 }),
      })
      .map((rest) => ({
        ...rest,
        openingMinor: rest.openingMinor === 0 ? 0 : rest.openingMinor,
        entries: rest.entries.map((each, index) => ({ ...each, entryRef: `E${index}` })),
        unbookedEntries: 0,
        closingMinor: rest.entries.reduce(
          (sum, each) => sum + (each.direction === 'credit' ? each.amount.minor : -each.amount.minor),
          rest.openingMinor,
        ),
      })),
  );
  const file: fc.Arbitrary<BankStatementFile> = fc.record({
    messageId: text(35),
    createdAt: fc.constant('2026-07-01T04:00:00.000Z'),
    statements: fc.uniqueArray(statement, { minLength: 1, maxLength: 3, selector: ({ statementId }) => statementId }),
  });

  it('is read as it was meant, whatever texts it carries', () => {
    fc.assert(
      fc.property(file, (written) => {
        expect(fileOf(parseCamt053(writeCamt053(written)))).toEqual(written);
      }),
      { numRuns: 150 },
    );
  });

  it('says the same as the files of the bank that it repeats', () => {
    for (const month of ['2026-04', '2026-05', '2026-06']) {
      const read = fileOf(parseCamt053(referenceBytes(`bank/${month}.camt053.xml`)));
      expect(fileOf(parseCamt053(writeCamt053(read)))).toEqual(read);
    }
  });
});
