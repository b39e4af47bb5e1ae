import { type FastifyInstance } from 'fastify';
import { type Config, listenUrl } from '../runtime/config';

/** How the API is reached from outside: as the configuration says, else (PORT=0) where it really listens. */
export function publicUrlOf({ publicUrl, host, port }: Config['http'], app: FastifyInstance): string {
  const address = app.server.address();
  return publicUrl ?? listenUrl(host, typeof address === 'object' ? (address?.port ?? port) : port);
}
