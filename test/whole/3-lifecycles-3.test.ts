import { runTogether } from './groups';

runTogether('lifecycles-3');
