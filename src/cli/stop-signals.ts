/** Whether the launcher died; observed from the start, because that may happen before there is anything to stop. */
let isOrphan = false;
process.on('disconnect', () => {
  isOrphan = true;
});
process.channel?.unref();

/** Ctrl-C once stops after this experiment, twice stops now; SIGTERM, SIGHUP and the launcher's death also stop now. */
export function onStopSignals(actions: { stopAfter(): void; stopNow(): void }): { dispose(): void } {
  let interrupts = 0;
  const interrupt = () => {
    interrupts += 1;
    if (interrupts === 1) actions.stopAfter();
    else actions.stopNow();
  };
  const stopNow = () => actions.stopNow();
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', stopNow);
  process.on('SIGHUP', stopNow);
  process.on('disconnect', stopNow);
  if (isOrphan) actions.stopNow();
  return {
    dispose() {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', stopNow);
      process.off('SIGHUP', stopNow);
      process.off('disconnect', stopNow);
    },
  };
}
