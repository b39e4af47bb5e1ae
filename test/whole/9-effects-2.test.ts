import { runTogether } from './groups';

runTogether('effects-2');
