/**
 * A reason why the cluster cannot start that its user can do something about. The message is complete and in plain
 * words, so it is shown without a stack.
 */
export class StartError extends Error {
  override name = 'StartError';
}
