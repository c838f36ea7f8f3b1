import type { MemberRole, RoomKind } from '@parley/database';

export type MemberAct = 'add' | 'remove' | 'role' | 'mute' | 'ban';

/** What of a room decides who may do what in it. */
export interface RoomRules {
  kind: RoomKind;
  my_role: MemberRole | null;
  members_can_invite: boolean;
}

/**
 * Whether the actor may do this to anybody at all. Public rooms are open to all, so their members may also bring others;
 * in private rooms that is for owners and moderators, unless the room says otherwise. A direct room stays as it is.
 */
export function mayAct(room: RoomRules, act: MemberAct): boolean {
  if (room.kind === 'direct' || room.my_role === null) return false;
  if (room.my_role === 'owner') return true;
  if (act === 'add') return room.my_role === 'moderator' || room.kind === 'public' || room.members_can_invite;
  return room.my_role === 'moderator' && act !== 'role';
}

/** Whether the actor may do what it may to this one: moderators leave owners and each other alone. */
export function mayTouch(room: RoomRules, target: MemberRole): boolean {
  return room.my_role === 'owner' || target === 'member';
}
