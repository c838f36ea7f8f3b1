/** What `append_messages` says of one input; the meaning of each stands at the function (migrations). */
export type AppendOutcome = AppendedRow['outcome'];

/** A row of the answer of `append_messages`: one an input, in any order. */
export type AppendedRow = StoredRow | RefusedRow;

interface AnswerRow {
  /** The input's place in the batch, from 1. */
  idx: number;
}

/** The message as it is stored, just now or earlier. */
export interface StoredRow extends AnswerRow {
  outcome: 'appended' | 'duplicate';
  id: string;
  seq: number;
  content: string;
  created_at: Date;
  reply_to: number | null;
  rev: number | null;
  edited_at: Date | null;
  deleted_at: Date | null;
  sender_name: string;
  muted_until: Date | null;
}

/** Nothing was stored. `muted_until` is set when the outcome is `muted` or `slow_mode`: then sends are allowed again. */
export interface RefusedRow extends AnswerRow {
  outcome: 'room_not_found' | 'not_a_member' | 'blocked' | 'muted' | 'reply_not_found' | 'slow_mode';
  id: null;
  seq: null;
  content: null;
  created_at: null;
  reply_to: null;
  rev: null;
  edited_at: null;
  deleted_at: null;
  sender_name: string | null;
  muted_until: Date | null;
}
