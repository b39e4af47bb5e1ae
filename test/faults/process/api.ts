import { readConfig } from '../../../runtime/config';
import { startThroughline } from '../../../workers/main';

/** The product's process without its worker, as `npm start` runs it. */
async function main(): Promise<void> {
  await startThroughline(readConfig());
  process.once('disconnect', () => process.exit(1));
  process.send?.('ready');
}

void main();
