import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** What a sealed text belongs to: it opens for nothing else, so that rows of the database cannot be exchanged. */
export interface SealContext {
  /** 32 bytes, base64. */
  readonly key: string;
  readonly of: string;
}

/** AES-256-GCM of a text, as `v1.<nonce>.<tag>.<sealed>` in base64url. */
export function seal(text: string, { key, of }: SealContext): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key, 'base64'), nonce).setAAD(Buffer.from(of));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return ['v1', ...[nonce, cipher.getAuthTag(), sealed].map((part) => part.toString('base64url'))].join('.');
}

/** The text; null where it was sealed with another key, for something else, or was changed. */
export function unseal(text: string, { key, of }: SealContext): string | null {
  const [version, ...parts] = text.split('.');
  const [nonce, tag, sealed] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (version !== 'v1' || nonce?.length !== 12 || tag?.length !== 16 || sealed === undefined) return null;
  try {
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'base64'), nonce).setAAD(Buffer.from(of)).setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
  } catch {
    // All that can be wrong with a sealed text of the right form is that it does not authenticate.
    return null;
  }
}

/** A new secret of Standard Webhooks: 256 random bits. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
