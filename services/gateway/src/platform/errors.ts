import { errors, type ErrorBody, type ErrorCode } from '@parley/protocol';

export interface ChatErrorOptions {
  /** For people; never holds what the client sent. Default: the code's meaning in the protocol's table. */
  message?: string;
  details?: NonNullable<ErrorBody['details']>;
  retryAfterMs?: number;
  cause?: unknown;
}

/** A failure that the client is told about by its code. Everything else that is thrown becomes `INTERNAL`. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: ErrorCode;
  readonly details: ErrorBody['details'];
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, options: ChatErrorOptions = {}) {
    super(options.message ?? errors[code].meaning, { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** HTTP status of the code; codes that exist on sockets only count as 400. */
  get status(): number {
    return errors[this.code].status ?? 400;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.details !== undefined && { details: this.details }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
    };
  }
}
