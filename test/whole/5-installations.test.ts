import { runTogether } from './groups';

runTogether('installations');
