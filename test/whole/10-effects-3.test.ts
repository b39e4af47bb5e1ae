import { runTogether } from './groups';

runTogether('effects-3');
