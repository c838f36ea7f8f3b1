import type { Message } from '@parley/protocol';
import type { MessageRow } from './messages.sql.ts';

/** A row as the protocol says it; what is absent is left out. */
export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    roomId: row.room_id,
    seq: row.seq,
    ...(row.rev !== null && { rev: row.rev }),
    sender: { id: row.sender_id, name: row.sender_name },
    content: row.content,
    clientMsgId: row.client_msg_id,
    createdAt: row.created_at.toISOString(),
    ...(row.reply_to !== null && { replyTo: row.reply_to }),
    ...(row.edited_at !== null && { editedAt: row.edited_at.toISOString() }),
    ...(row.deleted_at !== null && { deletedAt: row.deleted_at.toISOString() }),
    ...(row.reactions !== null && { reactions: row.reactions }),
  };
}
