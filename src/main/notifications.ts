import { Notification } from 'electron';
import type { Notice } from '../shared/settings.ts';

/** An unreferenced notification is garbage-collected together with its click handler. */
const MAX_KEPT = 50;

/** Shows notices as system notifications. */
export class Notifications {
  readonly #onClick: (notice: Notice) => void;
  #kept: Notification[] = [];

  constructor(onClick: (notice: Notice) => void) {
    this.#onClick = onClick;
  }

  show(notice: Notice): void {
    if (!Notification.isSupported()) return;
    const notification = new Notification({ title: notice.title, body: notice.body });
    const forget = () => {
      this.#kept = this.#kept.filter(other => other !== notification);
    };
    notification.on('click', () => {
      forget();
      this.#onClick(notice);
    });
    // Some systems report a close when they move a notification to their list, where it can still be clicked, so it
    // is kept.
    notification.on('failed', forget);
    this.#kept = [...this.#kept.slice(1 - MAX_KEPT), notification];
    notification.show();
  }
}
