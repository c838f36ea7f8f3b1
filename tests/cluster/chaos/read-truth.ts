import { openDatabase, type OpenDatabase } from '@parley/database';
import type { Head, StoredRoom } from '../checker/record.ts';

/** PostgreSQL as the run left it. */
export class TruthReader {
  readonly #database: OpenDatabase;

  constructor(url: string) {
    this.#database = openDatabase({
      url,
      poolMax: 2,
      statementTimeoutMs: 30_000,
      connectTimeoutMs: 10_000,
      applicationName: 'chaos',
    });
  }

  async heads(roomIds: readonly string[]): Promise<Map<string, Head>> {
    const { rows } = await this.#database.pool.query<{ id: string; head_seq: string; head_rev: string }>(
      'select id, head_seq, head_rev from rooms where id = any($1)',
      [roomIds],
    );
    return new Map(rows.map((row) => [row.id, { seq: Number(row.head_seq), rev: Number(row.head_rev) }]));
  }

  /** Everything behind `bases`. */
  async read(bases: ReadonlyMap<string, Head>): Promise<Map<string, StoredRoom>> {
    const heads = await this.heads([...bases.keys()]);
    const rooms = new Map<string, StoredRoom>();
    for (const [roomId, base] of bases) {
      const messages = await this.#database.pool.query<Record<'seq' | 'id' | 'sender_id' | 'client_msg_id', string>>(
        'select seq, id, sender_id, client_msg_id from messages where room_id = $1 and seq > $2 order by seq',
        [roomId, base.seq],
      );
      const changes = await this.#database.pool.query<Record<'rev' | 'seq' | 'actor_id', string>>(
        'select rev, seq, actor_id from message_changes where room_id = $1 and rev > $2 order by rev',
        [roomId, base.rev],
      );
      rooms.set(roomId, {
        base,
        head: heads.get(roomId) ?? base,
        messages: messages.rows.map(({ seq, id, sender_id, client_msg_id }) => {
          return { seq: Number(seq), id, senderId: sender_id, clientMsgId: client_msg_id };
        }),
        changes: changes.rows.map(({ rev, seq, actor_id }) => {
          return { rev: Number(rev), seq: Number(seq), actorId: actor_id };
        }),
      });
    }
    return rooms;
  }

  /** Runs a statement as the faults need it. */
  async run<Row>(statement: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#database.pool.query(statement, values)).rows as Row[];
  }

  /** Runs a statement in a transaction that stays open while `work` is done. */
  async hold(statement: string, values: unknown[], work: () => Promise<void>): Promise<void> {
    const client = await this.#database.pool.connect();
    try {
      await client.query('begin');
      await client.query("select set_config('idle_in_transaction_session_timeout', '0', true)");
      await client.query(statement, values);
      await work();
      await client.query('commit');
    } finally {
      client.release();
    }
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
