/**
 * Works on many things, so many at once, and gives their results in their order. `tell` hears each of them as soon as it and all before it
 * are there. `work` does not throw.
 */
export async function inOrder<T, R>(
  all: readonly T[],
  atOnce: number,
  tell: (result: R) => void,
  work: (each: T) => R | Promise<R>,
): Promise<R[]> {
  const done = new Map<number, R>();
  const results: R[] = [];
  let next = 0;
  const turn = async (): Promise<void> => {
    for (let index = next; index < all.length; index = next) {
      next += 1;
      done.set(index, await work(all[index] as T));
      for (let first = done.get(results.length); first !== undefined; first = done.get(results.length)) {
        results.push(first);
        tell(first);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, turn));
  return results;
}
