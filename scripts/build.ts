import { workflowBundle } from '../workers/bundle';

/** `npm run build`: the workflow bundle, so that a worker starts without building it. */
void workflowBundle((message) => process.stdout.write(`${message}\n`)).then(({ codePath, buildId }) =>
  process.stdout.write(`${codePath} ${buildId}\n`),
);
