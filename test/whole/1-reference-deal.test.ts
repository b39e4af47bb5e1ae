import { runTogether } from './groups';

runTogether('reference-deal');
