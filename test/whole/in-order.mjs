import Sequencer from '@jest/test-sequencer';

/** The groups in the order of their numbers, which begins with the longest: the last to end are short ones. */
export default class InOrder extends Sequencer {
  sort(tests) {
    return [...tests].sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }));
  }
}
