import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { type WorkflowBundle } from '../../workers/bundle';
import { type LifecycleScript } from './script';

const FOLDER = resolve(__dirname, '..', '..', 'build', 'bench');

/** The bundle of the bare workflows with a script built in, so that no run carries it in its input. */
export async function bareBundle(script: LifecycleScript): Promise<WorkflowBundle> {
  mkdirSync(FOLDER, { recursive: true });
  const entry = join(FOLDER, 'workflows.ts');
  const interpreter = resolve(__dirname, 'interpreter');
  writeFileSync(
    entry,
    `import { interpreterOf } from ${JSON.stringify(interpreter)};\nexport const bareLifecycle = interpreterOf(${JSON.stringify(script)});\n`,
  );
  const quiet = () => undefined;
  const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
  const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger });
  const buildId = createHash('sha256').update(code).digest('hex').slice(0, 16);
  // Each script has its own file: workers of another one may start later in the same run.
  const codePath = join(FOLDER, `bundle-${buildId}.js`);
  writeFileSync(codePath, code);
  return { codePath, buildId };
}
