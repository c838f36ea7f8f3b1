import type { HttpAnswer } from './http.ts';

export interface Cookie {
  value: string;
  /** By lower-case name; true for one without a value. */
  attributes: Record<string, string | true>;
}

/** The cookies that an answer sets, by name. */
export function cookiesOf(answer: HttpAnswer): Record<string, Cookie> {
  const cookies: Record<string, Cookie> = {};
  for (const line of answer.headers['set-cookie'] ?? []) {
    const [[name = '', value = ''] = [], ...rest] = line.split(';').map((part) => part.trim().split('='));
    const attributes = rest.map(([key = '', of]): [string, string | true] => [key.toLowerCase(), of ?? true]);
    cookies[name] = { value: decodeURIComponent(value), attributes: Object.fromEntries(attributes) };
  }
  return cookies;
}
