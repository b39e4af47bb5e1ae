import { createActivities } from '../../../activities/index';
import { readConfig } from '../../../runtime/config';
import { createLogger } from '../../../runtime/logger';
import { createDatabase, createPool } from '../../../runtime/postgres';
import { connectTemporal, connectWorker } from '../../../runtime/temporal-connection';
import { installTemporalRuntime } from '../../../runtime/temporal-runtime';
import { workflowBundle } from '../../../workers/bundle';
import { currentBuildId, setCurrentVersion } from '../../../workers/release';
import { startWorker } from '../../../workers/worker';
import { type Answer, type Question } from './child';
import { losingAnswers } from './losing-answers';

/** The product's worker with its own settings; only its activities lose their first answers, and hold answers back when told to. */
async function main(): Promise<void> {
  const config = readConfig();
  const log = createLogger(config.log);
  installTemporalRuntime(log, config);
  const { url = '', poolSize, statementTimeoutMs } = config.database;
  const onError = (error: Error): void => log.warn({ err: error }, 'an idle database connection broke');
  const db = createDatabase(createPool({ url, poolSize, statementTimeoutMs, onError }));
  const answers = losingAnswers(process.env.LOST_ANSWERS ?? '');
  const bundle = await workflowBundle();
  const worker = await startWorker({
    config,
    db,
    connection: await connectWorker(config.temporal),
    bundle,
    activities: answers.disguise(createActivities({ db })),
  });
  const plain = await connectTemporal(config.temporal);
  const { namespace } = config.temporal;
  if ((await currentBuildId(plain, namespace)) !== worker.buildId)
    await setCurrentVersion(plain, namespace, { buildId: worker.buildId, taskQueue: config.worker.taskQueue });
  await plain.close();
  process.on('message', ({ question, word }: Question) => {
    if (word === 'hold') answers.hold();
    if (word === 'release') answers.release();
    process.send?.({ question, answer: { open: answers.open() } } satisfies Answer);
  });
  process.once('disconnect', () => process.exit(1));
  void worker.ended.catch((error: unknown) => {
    log.error({ err: error }, 'the worker died');
    process.exit(2);
  });
  process.send?.('ready');
}

void main();
