import { types, type CustomTypesConfig } from 'pg';

const INT8 = 20;
const INT8_ARRAY = 1016;
const TEXT_ARRAY = 1009;

/**
 * How columns become values: int8 a number instead of pg's string, the rest as pg does it (timestamptz a Date, numeric
 * a string). Given to each connection, so that pg's global table stays as it is.
 */
export const columnTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8 && format !== 'binary') return parseInt8;
    if (oid === INT8_ARRAY && format !== 'binary') return parseInt8Array;
    return driverParser(oid, format);
  }) as typeof types.getTypeParser,
};

/** Throws beyond the integers that a number can hold exactly: a rounded `seq` would be another message. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`The int8 ${text} is not a safe integer.`);
  return value;
}

/** pg's own, for any type; its declaration wants an enum of the types that it knows. */
const driverParser = types.getTypeParser as (oid: number, format?: 'text' | 'binary') => (text: string) => unknown;
const parseTextArray = driverParser(TEXT_ARRAY);

function parseInt8Array(text: string): (number | null)[] {
  return (parseTextArray(text) as (string | null)[]).map((item) => (item === null ? null : parseInt8(item)));
}
