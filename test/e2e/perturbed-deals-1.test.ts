import { perturbedDealsComeOut } from './perturbed-play';

describe('a deal with other fees, dates, shares, usage, hours, time zones and payment terms', () => perturbedDealsComeOut([1, 2, 3, 4, 5]));
