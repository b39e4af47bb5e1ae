import { workflowBundle } from '../workers/bundle';
import { compileProduct } from './compile';

/**
 * `npm run build`: the product as JavaScript in `build/js`, and the workflow bundle, so that a process starts without compiling and without
 * a compiler in its memory.
 */
async function main(): Promise<void> {
  const folder = await compileProduct('js');
  const { codePath, buildId } = await workflowBundle((message) => process.stdout.write(`${message}\n`));
  process.stdout.write(`${folder}\n${codePath} ${buildId}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
