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

  /** @param answer answers all of a batch, in the order of the questions; what it throws is thrown at all of them */
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
    try {
      const answers = await this.#answer(batch.map(({ question }) => question));
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#underWay -= 1;
    this.#schedule();
  }
}
