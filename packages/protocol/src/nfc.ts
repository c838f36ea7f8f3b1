// String.prototype.normalize sorts the combining marks of one run by insertion. A run of n marks in the worst order
// costs n * n steps: 20,000 marks take a tenth of a second, the 500,000 that fit into one frame more than a minute, and
// the whole process stands still. Long runs are therefore sorted here in linear time, before the native call, which
// passes over a sorted run at once. Text as people write it never gets here.

/** One canonical combining class, known by one of its marks. */
interface MarkClass {
  readonly example: string;
}

const LONG_RUN = /\p{M}{65,}/gu;

/** Ascending. Unicode has fewer than 60 classes and 1,000 marks that have one, which bounds both. */
const classes: MarkClass[] = [];
const classOf = new Map<string, MarkClass | 'starter'>();

/** The NFC of a text, in time that is linear in its length, whatever it holds. */
export function toNfc(text: string): string {
  if (text.length < 65) return text.normalize('NFC');
  return text.replace(LONG_RUN, sortMarks).normalize('NFC');
}

/** The canonical decomposition of a run of combining marks: what NFD makes of it. */
export function sortMarks(run: string): string {
  let sorted = '';
  let buckets = new Map<MarkClass, string[]>();
  const flush = () => {
    if (buckets.size === 0) return;
    for (const one of classes) sorted += buckets.get(one)?.join('') ?? '';
    buckets = new Map();
  };
  for (const character of run) {
    for (const mark of character.normalize('NFD')) {
      const found = findClass(mark);
      if (found === 'starter') {
        flush();
        sorted += mark;
        continue;
      }
      const bucket = buckets.get(found);
      if (bucket) bucket.push(mark);
      else buckets.set(found, [mark]);
    }
  }
  flush();
  return sorted;
}

/** The class of a mark, or `starter` for a mark that no other mark may pass. */
function findClass(mark: string): MarkClass | 'starter' {
  const known = classOf.get(mark);
  if (known) return known;
  const found = isStarter(mark) ? 'starter' : findOrAddClass(mark);
  classOf.set(mark, found);
  return found;
}

function findOrAddClass(mark: string): MarkClass {
  let low = 0;
  let high = classes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const candidate = classes[middle] as MarkClass;
    if (swaps(candidate.example, mark)) high = middle;
    else if (swaps(mark, candidate.example)) low = middle + 1;
    else return candidate;
  }
  const added = { example: mark };
  classes.splice(low, 0, added);
  return added;
}

/** Whether the canonical order puts the second of two decomposed marks before the first: its class is lower. */
function swaps(first: string, second: string): boolean {
  return (first + second).normalize('NFD') !== first + second;
}

/** U+0345 has the highest class and U+0334 the lowest; a mark that changes places with neither has none. */
function isStarter(mark: string): boolean {
  return !swaps('\u0345', mark) && !swaps(mark, '\u0334');
}
