import { type BrowserWindow, dialog, type MessageBoxOptions } from 'electron';
import type { StudyCard } from '../shared/notebook.ts';

/** Shows a message above the window, or alone if there is none; resolves to the index of the button. */
async function ask(window: BrowserWindow | null, options: MessageBoxOptions): Promise<number> {
  const { response } = await (window?.isVisible()
    ? dialog.showMessageBox(window, options)
    : dialog.showMessageBox(options));
  return response;
}

/** True means: stop the training and quit. */
export async function confirmQuit(window: BrowserWindow | null, study: StudyCard): Promise<boolean> {
  const current = study.current ? `experiment ${study.current.n}` : 'its next experiment';
  const answer = await ask(window, {
    type: 'question',
    message: `${study.tag} is running ${current}.`,
    detail:
      'Quitting stops the training. Finished work is kept, and you can resume the study where it stopped.',
    buttons: ['Stop and quit', 'Keep running'],
    defaultId: 1,
    cancelId: 1,
  });
  return answer === 0;
}

/** The system's folder dialog; null if the user closed it. */
export async function chooseFolder(window: BrowserWindow | null): Promise<string | null> {
  const options = { title: 'Open a repository', properties: ['openDirectory' as const] };
  const { canceled, filePaths } = await (window
    ? dialog.showOpenDialog(window, options)
    : dialog.showOpenDialog(options));
  return canceled ? null : (filePaths[0] ?? null);
}

/** True means: try again. */
export async function askToRetry(message: string): Promise<boolean> {
  const answer = await ask(null, {
    type: 'warning',
    message: 'Pawl is in use elsewhere.',
    detail: message,
    buttons: ['Retry', 'Quit'],
    defaultId: 0,
    cancelId: 1,
  });
  return answer === 0;
}

export async function tellCannotStart(message: string): Promise<void> {
  await ask(null, { type: 'error', message: 'Pawl cannot start.', detail: message, buttons: ['Quit'] });
}

/** True means: reload the page. */
export async function askAfterCrashes(window: BrowserWindow | null): Promise<boolean> {
  const answer = await ask(window, {
    type: 'error',
    message: 'The window has crashed several times in a row.',
    detail: 'Nothing is lost: studies run outside the window, and a running study continues.',
    buttons: ['Reload', 'Hide the window'],
    defaultId: 0,
    cancelId: 1,
  });
  return answer === 0;
}
