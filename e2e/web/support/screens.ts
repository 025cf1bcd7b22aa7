import { DIALOGS } from './screens/dialogs.ts';
import { NOTEBOOK } from './screens/notebook.ts';
import { RUNNING } from './screens/running.ts';
import type { Screen } from './screens/stage.ts';
import { START } from './screens/start.ts';
import { VIEWS } from './screens/views.ts';

/** All screens, dialogs and notices. */
export const SCREENS: readonly Screen[] = [...START, ...NOTEBOOK, ...RUNNING, ...VIEWS, ...DIALOGS];
