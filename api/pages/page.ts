import { createHash } from 'node:crypto';
import { type FastifyRequest } from 'fastify';
import { type Problem } from '../../contracts/api/problem';
import { Html, html } from './html';

/** An address that people open in a browser. */
export interface Page {
  /** What goes with every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** A problem as it is shown to whoever asks for HTML. */
  readonly problem: (problem: Problem) => string;
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}' +
  'h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-top:1px solid #ddd}' +
  'th{font-weight:600;width:14rem}td td,td th{border-top:1px dotted #ddd}textarea{width:100%;box-sizing:border-box;font:inherit}' +
  'button{font:inherit;padding:.5rem 1.4rem;margin:.8rem .8rem 0 0}.quiet{color:#555}';

/** Nothing is loaded, run or framed; a form goes back to where it came from; nobody keeps the page or learns its address. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow, noarchive',
};

/** A whole page; `code` says to programs and tests what it is about. */
export function pageOf(title: string, code: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en" data-code="${code}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `.text;
}

/** Only who says so is shown pages: a program that takes anything is told problems. */
export function wantsPage({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return (headers.accept ?? '').split(',').some((each) => each.split(';')[0]?.trim() === 'text/html');
}
