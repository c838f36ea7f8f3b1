import pg from 'pg';

const INT8 = 20;
const INT8_ARRAY = 1016;

/**
 * How columns become values: int8 a number instead of pg's string, the rest as pg does it (timestamptz a Date, numeric
 * a string). Given to each connection, so that pg's global table stays as it is.
 */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8 && format !== 'binary') return parseInt8;
    if (oid === INT8_ARRAY && format !== 'binary') return parseInt8Array;
    return pg.types.getTypeParser(oid, format);
  }) as typeof pg.types.getTypeParser,
};

/** Throws beyond the integers that a number can hold exactly: a rounded `seq` would be another message. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`The int8 ${text} is not a safe integer.`);
  return value;
}

const parseTextArray = pg.types.getTypeParser(1009 as number) as (text: string) => (string | null)[];

function parseInt8Array(text: string): (number | null)[] {
  return parseTextArray(text).map((item) => (item === null ? null : parseInt8(item)));
}
