import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { askForDeals } from './approvals/asked';
import { startBenchStack } from './process/stack';
import { rssMb } from './process/usage';
import { startWorkerProcess } from './process/worker-process';
const smaps = (pid: number) => {
  const t = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
  const g: Record<string, number> = {};
  for (const b of t) {
    const name = /^\S+ \S+ \S+ \S+ \S+\s*(.*)$/m.exec(b)?.[1] ?? '';
    const rss = Number(/Rss:\s+(\d+)/.exec(b)?.[1] ?? 0);
    const k = name === '' ? 'anon' : name.startsWith('[anon') || name.startsWith('[heap') ? name : name.split('/').pop()!.slice(0, 30);
    g[k] = (g[k] ?? 0) + rss / 1000;
  }
  return Object.entries(g).sort((a, b) => b[1] - a[1]).slice(0, 7).map(([k, v]) => `${k} ${v.toFixed(0)}`).join(', ');
};
void (async () => {
  const stack = await startBenchStack();
  try {
    const variants: [string, Record<string, string>][] = JSON.parse(process.env.VARIANTS!);
    for (const [name, env] of variants) {
      const w = await startWorkerProcess(stack, 'product', env);
      const before = rssMb(w.pid);
      const s0 = smaps(w.pid);
      const asked = await askForDeals(stack, Number(process.env.N ?? 700), { ready: false });
      for (const { handle } of asked.slice(-5)) for (;;) { try { await handle.query('__stack_trace'); break; } catch { await delay(500); } }
      await delay(3000);
      console.log(name, 'before', before.toFixed(0), 'after', rssMb(w.pid).toFixed(0), '|', s0, '|', smaps(w.pid));
      await w.stop();
    }
  } finally { await stack.stop(); }
  process.exit(0);
})();
