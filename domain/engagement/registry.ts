import { type LineTerms } from '../deal/terms';
import { type Violation } from '../violation';
import { type FollowUp } from './follow-up';
import { fixedFee } from './fixed-fee';
import { managedService } from './managed-service';
import { type EngagementModel } from './model';
import { retainer } from './retainer';
import { timeAndMaterials } from './time-and-materials';

const MODELS: readonly EngagementModel[] = [
  forAnyLine(fixedFee),
  forAnyLine(managedService),
  forAnyLine(retainer),
  forAnyLine(timeAndMaterials),
];

/** Of a model that plans everything at once. */
const NOTHING_FOLLOWS: FollowUp = { items: [], open: [] };

/** The module of an engagement model; `EngagementModelNotSupported` for a code that has none. */
export function engagementModel(code: string): EngagementModel | Violation {
  const model = MODELS.find((each) => each.code === code);
  return model ?? { violation: 'EngagementModelNotSupported', detail: code };
}

/** Lets the core hand over a line without knowing its model; a line of another model is a bug of the caller and throws. */
function forAnyLine<Line extends LineTerms>(model: EngagementModel<Line>): EngagementModel {
  const own = (line: LineTerms): Line => {
    if (line.engagementModel !== model.code) throw new TypeError(`a ${line.engagementModel} line for model ${model.code}`);
    return line as Line;
  };
  const { run, waive } = model;
  return {
    code: model.code,
    plan: (line, context) => model.plan(own(line), context),
    readiness: (line, item, facts) => model.readiness(own(line), item, facts),
    bill: (line, item, facts) => model.bill(own(line), item, facts),
    recognise: (line, facts, asOf) => model.recognise(own(line), facts, asOf),
    change: (line, changes, facts) => model.change(own(line), changes, facts),
    finish: (line, facts) => model.finish(own(line), facts),
    followUp: (line, facts) => model.followUp?.(own(line), facts) ?? NOTHING_FOLLOWS,
    ...(run === undefined ? {} : { run: (line, item, facts) => run(own(line), item, facts) }),
    ...(waive === undefined ? {} : { waive: (line, waiver, facts) => waive(own(line), waiver, facts) }),
  };
}
