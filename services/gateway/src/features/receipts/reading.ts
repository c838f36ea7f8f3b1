/** A member has read up to a message. */
export interface Reading {
  roomId: string;
  userId: string;
  seq: number;
}
