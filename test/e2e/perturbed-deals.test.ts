import { perturbedDealsComeOut } from './perturbation/perturbed-play';

/** One deal of each kind; `npm run test:figures` plays all seeds. */
describe('a deal with other terms, work, prices, changes, payments and places', () => perturbedDealsComeOut([8, 12, 13, 17]));
