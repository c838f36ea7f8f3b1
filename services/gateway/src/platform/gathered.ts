import { isUnavailable } from '@parley/database';

/** So many batches are under way at once: a slow one does not hold up everybody. */
const AT_ONCE = 2;
/** The most questions of one batch. */
const MOST = 100;

interface Waiting<Question, Answer> {
  question: Question;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Questions that are cheaper together. What comes in one go is asked as one batch, and while batches are under way the
 * next one gathers: with little to do nobody waits, and the batches grow with the load. An answer is never older than
 * its question.
 */
export class Gathered<Question, Answer> {
  readonly #answer: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  #waiting: Waiting<Question, Answer>[] = [];
  #underWay = 0;
  #isScheduled = false;

  /** @param answer answers all of a batch, in the order of the questions, or throws and has changed nothing */
  constructor(answer: (questions: readonly Question[]) => Promise<readonly Answer[]>) {
    this.#answer = answer;
  }

  /** @throws what the answering throws */
  ask(question: Question): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ question, resolve, reject });
    this.#schedule();
    return promise;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay >= AT_ONCE || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#askBatch(this.#waiting.splice(0, MOST));
      this.#schedule();
    });
  }

  async #askBatch(batch: readonly Waiting<Question, Answer>[]): Promise<void> {
    this.#underWay += 1;
    await this.#answerAll(batch);
    this.#underWay -= 1;
    this.#schedule();
  }

  /** What fails is halved until the question at fault is alone; a store that is away fails for all alike. */
  async #answerAll(batch: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.#answer(batch.map(({ question }) => question));
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      if (batch.length === 1 || isUnavailable(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      const half = Math.ceil(batch.length / 2);
      await this.#answerAll(batch.slice(0, half));
      await this.#answerAll(batch.slice(half));
    }
  }
}
