import { createTransport } from 'nodemailer';

export interface Mail {
  /** The same in every attempt; becomes the Message-ID. */
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** Null where the server took it, else a short reason: a code, never the address that a server's answer may repeat. */
  send(mail: Mail): Promise<string | null>;
  close(): void;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

/** Mail by SMTP, as plain text from one sender; connections are kept and shared. */
export function createMailer({ smtpUrl, from }: { smtpUrl: string; from: string }): Mailer {
  const { hostname } = new URL(smtpUrl);
  const transport = createTransport(
    {
      url: smtpUrl,
      pool: true,
      maxConnections: 4,
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  return {
    send: async ({ messageId, to, subject, text }) => {
      try {
        await transport.sendMail({
          to: { name: '', address: to },
          subject,
          text,
          messageId: `<${messageId}@${hostname}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
        return null;
      } catch (error) {
        return reasonOf(error);
      }
    },
    close: () => transport.close(),
  };
}

function reasonOf(error: unknown): string {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  if (typeof responseCode === 'number') return `smtp ${responseCode}`;
  return typeof code === 'string' ? code : 'smtp';
}
