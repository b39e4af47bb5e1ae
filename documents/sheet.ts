import { readFileSync } from 'node:fs';
import { wrapped, type Typeface } from './printable';

export const INK = '#1d2329';
export const ACCENT = '#1f3b57';
export const MUTED = '#5b6770';
export const RULE = '#c9d1d8';
export const BAND = '#f2f5f8';

export interface Style {
  readonly size: number;
  readonly bold?: boolean;
  readonly color?: string;
  readonly align?: 'left' | 'right';
  /** More lines than this are cut, with a sign that they are. */
  readonly atMost?: number;
}

export interface SheetOptions {
  readonly title: string;
  readonly author: string;
  /** The moment of the document, not of the file: the same document gives the same bytes. */
  readonly createdAt: Date;
  readonly size: 'A4' | 'LETTER';
}

const MARGIN = 48;
const FOOTER = 40;
const LINE_HEIGHT = 1.32;
/** Two faces with letters of most scripts but those of East Asia; free to embed. */
const FACES = { regular: 'DejaVuSansCondensed', bold: 'DejaVuSansCondensed-Bold' } as const;
const loaded = new Map<string, Buffer>();

/** An empty sheet. The library is loaded with the first one: it is large, and most starts of a process need none. */
export async function openSheet({ title, author, createdAt, size }: SheetOptions): Promise<Sheet> {
  const { default: PDFDocument } = await import('pdfkit');
  const info = { Title: title, Author: author, Creator: 'Throughline', Producer: 'Throughline', CreationDate: createdAt };
  return new Sheet(new PDFDocument({ size, margin: 0, bufferPages: true, pdfVersion: '1.7', lang: 'en', displayTitle: true, info }));
}

/** Pages with a place to write at: `y` is where the next block begins. Knows nothing of what is written. */
export class Sheet {
  y = MARGIN;
  readonly left = MARGIN;
  readonly right: number;
  readonly width: number;
  readonly bottom: number;
  private readonly pdf: PDFKit.PDFDocument;
  private readonly chunks: Buffer[] = [];
  private readonly finished: Promise<void>;

  constructor(pdf: PDFKit.PDFDocument) {
    this.pdf = pdf;
    this.right = this.pdf.page.width - MARGIN;
    this.width = this.right - this.left;
    this.bottom = this.pdf.page.height - MARGIN - FOOTER;
    for (const [name, file] of Object.entries(FACES)) this.pdf.registerFont(name, face(file));
    this.finished = new Promise((resolve, reject) => {
      this.pdf.on('data', (chunk: Buffer) => this.chunks.push(chunk));
      this.pdf.once('end', resolve);
      this.pdf.once('error', reject);
    });
  }

  /** Text broken into lines that fit, as `lines` writes them. */
  fit(text: string, width: number, style: Style): string[] {
    const all = wrapped(text, width, this.typeface(style));
    const { atMost = all.length } = style;
    return all.length <= atMost ? all : [...all.slice(0, atMost - 1), `${(all[atMost - 1] ?? '').slice(0, -1)}…`];
  }

  /** Writes lines from a place downwards and gives the height they took. */
  lines(lines: readonly string[], x: number, y: number, width: number, style: Style): number {
    const step = lineHeight(style);
    const { width: measured } = this.typeface(style);
    this.pdf.fillColor(style.color ?? INK);
    lines.forEach((line, index) => {
      const at = style.align === 'right' ? x + width - measured(line) : x;
      this.pdf.text(line, at, y + index * step, { lineBreak: false });
    });
    return lines.length * step;
  }

  /** Writes a text at a place, wrapped, and gives the height it took. */
  text(text: string, x: number, y: number, width: number, style: Style): number {
    return this.lines(this.fit(text, width, style), x, y, width, style);
  }

  /** Writes a paragraph over the whole width below what stands there. */
  async paragraph(text: string, style: Style): Promise<void> {
    const lines = this.fit(text, this.width, style);
    for (const line of lines) {
      await this.keep(lineHeight(style));
      this.y += this.lines([line], this.left, this.y, this.width, style);
    }
  }

  rule(y: number, from = this.left, to = this.right, weight = 0.6, color = RULE): void {
    this.pdf.moveTo(from, y).lineTo(to, y).lineWidth(weight).strokeColor(color).stroke();
  }

  band(x: number, y: number, width: number, height: number, color = BAND): void {
    this.pdf.rect(x, y, width, height).fill(color);
  }

  /** Begins a new page where a block of this height does not fit any more; true where it did. */
  async keep(height: number): Promise<boolean> {
    if (this.y + height <= this.bottom) return false;
    await this.newPage();
    return true;
  }

  /** Others get their turn between two pages: a long document does not hold up the process. */
  async newPage(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.pdf.addPage();
    this.y = MARGIN;
  }

  /** Writes the foot of every page and gives the bytes. */
  async finish(foot: (page: number, pages: number) => { readonly left: string; readonly right: string }): Promise<Buffer> {
    const { count } = this.pdf.bufferedPageRange();
    const style: Style = { size: 7, color: MUTED };
    const y = this.bottom + FOOTER - 14;
    for (let page = 0; page < count; page += 1) {
      this.pdf.switchToPage(page);
      const { left, right } = foot(page + 1, count);
      this.rule(y - 6);
      this.text(left, this.left, y, this.width * 0.64, { ...style, atMost: 2 });
      this.text(right, this.right - this.width * 0.34, y, this.width * 0.34, { ...style, align: 'right', atMost: 2 });
    }
    this.pdf.end();
    await this.finished;
    return Buffer.concat(this.chunks);
  }

  private typeface({ size, bold = false }: Style): Typeface {
    this.pdf.font(bold ? 'bold' : 'regular').fontSize(size);
    const shapes = shapesOf(this.pdf);
    return { has: (codePoint) => shapes.hasGlyphForCodePoint(codePoint), width: (text) => this.pdf.widthOfString(text) };
  }
}

export function lineHeight({ size }: Style): number {
  return size * LINE_HEIGHT;
}

/** The typeface as fontkit reads it, which pdfkit keeps to itself. */
function shapesOf(pdf: PDFKit.PDFDocument): { hasGlyphForCodePoint(codePoint: number): boolean } {
  const { _font: font } = pdf as unknown as { _font: { font: { hasGlyphForCodePoint(codePoint: number): boolean } } };
  return font.font;
}

function face(file: string): Buffer {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  const bytes = readFileSync(require.resolve(`dejavu-fonts-ttf/ttf/${file}.ttf`));
  loaded.set(file, bytes);
  return bytes;
}
