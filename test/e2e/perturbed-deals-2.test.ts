import { perturbedDealsComeOut } from './perturbed-play';

describe('a deal with other fees, dates, shares, usage, hours, time zones and payment terms', () =>
  perturbedDealsComeOut([6, 7, 8, 9, 10]));
