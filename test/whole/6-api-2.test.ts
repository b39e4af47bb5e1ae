import { runTogether } from './groups';

runTogether('api-2');
