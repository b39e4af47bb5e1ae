import { connect, createServer } from 'node:net';
import { OperatorError } from './operator-error';

/** True when something accepts connections at this port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/** The first of `preferred` that is free, else any free port of 127.0.0.1. */
export async function freePort(...preferred: readonly (number | undefined)[]): Promise<number> {
  for (const port of preferred) {
    if (port !== undefined && (await tryPort(port)) !== undefined) return port;
  }
  return anyPort();
}

/** Ports that were given away in this process: one that is not listened at yet looks free. */
const given = new Set<number>();

async function anyPort(): Promise<number> {
  for (;;) {
    const port = (await tryPort(0)) as number;
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** `port` itself; throws when it is taken, with the name of the variable that sets it. */
export async function claimedPort(port: number, variable: string): Promise<number> {
  if ((await tryPort(port)) === undefined) throw portInUse(port, variable);
  return port;
}

export function portInUse(port: number, variable: string): OperatorError {
  return new OperatorError(`Port ${port} is in use. Free it, or set ${variable} to another port.`);
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1' }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : undefined));
    });
  });
}
