import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '@parley/test-support';
import { Gathered } from './gathered.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Answers when it is told to. */
function slowly() {
  const batches: { questions: readonly number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const gathered = new Gathered<number, string>((questions) => {
    const { promise, resolve, reject } = deferred<string[]>();
    batches.push({ questions, answer: () => resolve(questions.map((question) => `no. ${question}`)), fail: reject });
    return promise;
  });
  return { gathered, batches };
}

test('what is asked in one go is one batch, and each question has its own answer', async () => {
  const { gathered, batches } = slowly();
  const answers = [1, 2, 3].map((question) => gathered.ask(question));
  await turn();
  assert.deepEqual(
    batches.map(({ questions }) => questions),
    [[1, 2, 3]],
  );
  batches[0]?.answer();
  assert.deepEqual(await Promise.all(answers), ['no. 1', 'no. 2', 'no. 3']);
});

test('while two batches are under way the next one gathers, and no answer is older than its question', async () => {
  const { gathered, batches } = slowly();
  const answers = [];
  for (const question of [1, 2, 3, 4]) {
    answers.push(gathered.ask(question));
    await turn();
    await turn();
  }
  assert.deepEqual(
    batches.map(({ questions }) => questions),
    [[1], [2]],
  );
  batches[1]?.answer();
  assert.equal(await answers[1], 'no. 2');
  await turn();
  await turn();
  assert.deepEqual(batches[2]?.questions, [3, 4]);
  batches[0]?.answer();
  batches[2]?.answer();
  assert.deepEqual(await Promise.all(answers), ['no. 1', 'no. 2', 'no. 3', 'no. 4']);
});

test('a store that is away fails a whole batch at once, and the next one is asked', async () => {
  const { gathered, batches } = slowly();
  const failed = [gathered.ask(1), gathered.ask(2)];
  await turn();
  batches[0]?.fail(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
  for (const answer of failed) await assert.rejects(answer, /away/);
  const next = gathered.ask(3);
  await turn();
  await turn();
  batches[1]?.answer();
  assert.equal(await next, 'no. 3');
  assert.equal(batches.length, 2);
});

test('a question that cannot be answered fails alone', async () => {
  const gathered = new Gathered<number, string>((questions) =>
    questions.includes(3)
      ? Promise.reject(new Error('cannot be answered'))
      : Promise.resolve(questions.map((question) => `no. ${question}`)),
  );
  const answers = await Promise.allSettled([1, 2, 3, 4, 5].map((question) => gathered.ask(question)));
  assert.deepEqual(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'failed')),
    ['no. 1', 'no. 2', 'failed', 'no. 4', 'no. 5'],
  );
});
