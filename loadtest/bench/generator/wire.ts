import { connect, type Socket } from 'node:net';
import { encodeMaskedText, readFrames, type FrameListener } from './frames.ts';

/** All sockets of a process read into the same memory: nothing of it outlives the call in which it is read. */
const shared = Buffer.allocUnsafe(256 * 1024);

/** Is told what comes over a wire. */
export interface WireListener {
  /** One Engine.IO packet between two places of the bytes, which are valid only until this returns. */
  packet(bytes: Buffer, from: number, to: number): void;
  /** Once, whoever closed it. */
  closed(reason: string): void;
}

/** A TCP connection that speaks WebSocket, with as little work as that takes. */
export class Wire implements FrameListener {
  readonly #socket: Socket;
  readonly #listener: WireListener;
  /** What came of a frame whose end has not come yet, or of the answer to the upgrade. */
  #rest: Buffer | undefined;
  #isUpgraded = false;
  #isClosed = false;

  /** Opens it; the first packet says that it is open. */
  constructor(url: URL, path: string, listener: WireListener) {
    this.#listener = listener;
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length, bytes) => {
          this.#receive(bytes as Buffer, length);
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#end((error as NodeJS.ErrnoException).code ?? error.message));
    this.#socket.on('close', () => this.#end('closed by the server'));
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
  }

  send(packet: string): void {
    this.#socket.write(encodeMaskedText(packet));
  }

  /** Without goodbye. */
  destroy(): void {
    this.#end('closed by the generator');
  }

  text(bytes: Buffer, from: number, to: number): void {
    this.#listener.packet(bytes, from, to);
  }

  close(status: number | undefined): void {
    this.#end(`goodbye of the server, ${status === undefined ? 'without a status' : `status ${status}`}`);
  }

  #receive(chunk: Buffer, length: number): void {
    let bytes = chunk;
    let to = length;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      to = bytes.length;
      this.#rest = undefined;
    }
    try {
      const from = this.#isUpgraded ? 0 : this.#readAnswer(bytes, to);
      const done = from === -1 ? 0 : readFrames(bytes, from, to, this);
      // A copy, since the next read, of whichever socket, writes over it.
      if (done < to && !this.#isClosed) this.#rest = Buffer.from(bytes.subarray(done, to));
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  /** The place after the answer to the upgrade, or -1 if it is not complete. */
  #readAnswer(bytes: Buffer, to: number): number {
    const end = bytes.subarray(0, to).indexOf('\r\n\r\n');
    if (end === -1) return -1;
    const status = bytes.toString('latin1', 9, 12);
    if (status !== '101') throw new Error(`HTTP ${status}`);
    this.#isUpgraded = true;
    return end + 4;
  }

  #end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.#listener.closed(reason);
  }
}
