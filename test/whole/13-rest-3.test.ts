import { runTogether } from './groups';

runTogether('rest-3');
