import { get } from 'node:http';

/** Whether a server on this machine answers `GET <url>` with 200. */
export function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    // No agent: a kept connection could outlive the process that is asked.
    const request = get(url, { agent: false, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
