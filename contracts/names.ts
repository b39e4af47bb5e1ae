/** The task queue of everything; a role split runs more workers on it. */
export const DEFAULT_TASK_QUEUE = 'throughline';

/** Who acts where no person does: the engine itself. */
export const ENGINE_ACTOR = 'engine';

/** The role written into an open wait when a run waits for another run and not for a person. */
export const WAITS_FOR_RUN = 'run';
