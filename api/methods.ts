import { type FastifyInstance } from 'fastify';
import { ApiError } from './errors';

/**
 * Refuses a method that an address does not have, and names those that it has (RFC 9110 15.5.6). An address that is not there at all is not
 * found, whatever the method.
 */
export function refuseOtherMethods(app: FastifyInstance): void {
  const known: { readonly method: string; readonly pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')}$`);
    for (const each of [method].flat()) known.push({ method: each, pattern });
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const address = request.url.split('?')[0] ?? '';
    const allowed = [...new Set(known.filter(({ pattern }) => pattern.test(address)).map(({ method }) => method))];
    if (allowed.length === 0) return done();
    void reply.header('allow', allowed.sort().join(', '));
    done(new ApiError('MethodNotAllowed', `this address takes ${allowed.join(', ')}`));
  });
}
