import type { Socket as EngineSocket } from 'engine.io';

/**
 * Transports that are open without a CONNECT, counted by client address. They cost memory before anybody has said who
 * they are, so one address may hold only so many (`MAX_PENDING_PER_ADDRESS`).
 */
export class PendingTransports {
  readonly #perAddress = new Map<string, number>();
  readonly #addressOf = new WeakMap<EngineSocket, string>();
  /** One for all transports, and taken off again: it would stay with each as long as that lives. */
  readonly #onClose: (this: EngineSocket) => void;

  constructor() {
    const settled = (transport: EngineSocket): void => this.settled(transport);
    this.#onClose = function onClose() {
      settled(this);
    };
  }

  count(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  opened(transport: EngineSocket, address: string): void {
    this.#perAddress.set(address, this.count(address) + 1);
    this.#addressOf.set(transport, address);
    transport.on('close', this.#onClose);
  }

  /** The transport has joined or has closed; calling it again is harmless. */
  settled(transport: EngineSocket): void {
    const address = this.#addressOf.get(transport);
    if (address === undefined) return;
    this.#addressOf.delete(transport);
    transport.off('close', this.#onClose);
    const left = this.count(address) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}
