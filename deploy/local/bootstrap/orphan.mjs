// npm runs a script through a shell, and not every shell passes a signal on: where it does not, SIGTERM to npm ends npm
// and the shell, and the program goes on alone.

const CHECK_EVERY_MS = 500;

/** Ends this process as by SIGTERM when npm started it and then went away. */
export function endWhenOrphaned() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, CHECK_EVERY_MS);
  timer.unref();
}
