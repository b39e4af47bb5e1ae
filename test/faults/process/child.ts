import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';

/** Several may be asked at once: an answer says whose it is. */
export interface Question {
  readonly question: string;
  readonly word: string;
}

export interface Answer {
  readonly question: string;
  readonly answer: unknown;
}

/** A process of ours that can be killed and started again. */
export interface FaultProcess {
  readonly pid: number;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** Resolves when it says that it is ready. */
  restart(): Promise<void>;
  /** Sends a word and gives the answer; null where the process is gone. */
  ask<T>(word: string): Promise<T | null>;
}

/** Starts one of the programs beside this file; what it logs goes to a file. */
export async function startProcess(
  program: 'api' | 'worker',
  environment: Readonly<Record<string, string>>,
  logFile: string,
): Promise<FaultProcess> {
  let child = await started(program, environment, logFile);
  return {
    get pid() {
      return child.pid ?? 0;
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    restart: async () => {
      child = await started(program, environment, logFile);
    },
    ask: <T>(word: string) => answerOf<T>(child, word),
  };
}

async function started(program: string, environment: Readonly<Record<string, string>>, logFile: string): Promise<ChildProcess> {
  const log = openSync(logFile, 'a');
  const child = fork(join(__dirname, `${program}.ts`), [], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', log, log, 'ipc'],
    // Ctrl-C is for the harness, which then ends what it started.
    detached: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`the ${program} process ended with ${code}; see ${logFile}`)));
  });
  return child;
}

function answerOf<T>(child: ChildProcess, word: string): Promise<T | null> {
  return new Promise((resolve) => {
    if (!child.connected) return resolve(null);
    const question = randomUUID();
    const settle = (answer: T | null): void => {
      child.off('message', heard);
      child.off('exit', gone);
      resolve(answer);
    };
    const heard = (told: Answer): void => {
      if (told.question === question) settle(told.answer as T);
    };
    const gone = (): void => settle(null);
    child.on('message', heard);
    child.once('exit', gone);
    child.send({ question, word } satisfies Question, (error) => {
      if (error) settle(null);
    });
  });
}
