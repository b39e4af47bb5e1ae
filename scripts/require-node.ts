import { resolve } from 'node:path';
import { nodeVersion } from '../runtime/node-version';

// Imported before everything else: an older Node.js fails somewhere inside a library, and says nothing of the reason.
const { least, isEnough } = nodeVersion(resolve(__dirname, '..'));
if (!isEnough) {
  process.stderr.write(`Throughline needs Node.js ${least} or newer; this is ${process.versions.node}.\n`);
  process.exit(2);
}
