import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayAct, mayTouch, type MemberAct, type RoomRules } from './rules.ts';

const ACTS: MemberAct[] = ['add', 'remove', 'role', 'mute', 'ban'];
const room = (kind: RoomRules['kind'], my_role: RoomRules['my_role'], members_can_invite = false): RoomRules => ({
  kind,
  my_role,
  members_can_invite,
});
const allowed = (rules: RoomRules): MemberAct[] => ACTS.filter((act) => mayAct(rules, act));

test('owners may all, in public and private rooms', () => {
  for (const kind of ['public', 'private'] as const) assert.deepEqual(allowed(room(kind, 'owner')), ACTS);
});

test('moderators may all but give roles', () => {
  for (const kind of ['public', 'private'] as const) {
    assert.deepEqual(allowed(room(kind, 'moderator')), ['add', 'remove', 'mute', 'ban']);
  }
});

test('members may add others where anybody may come, or where the room says so', () => {
  assert.deepEqual(allowed(room('public', 'member')), ['add']);
  assert.deepEqual(allowed(room('private', 'member')), []);
  assert.deepEqual(allowed(room('private', 'member', true)), ['add']);
});

test('nobody may do anything in a direct room, and outsiders nowhere', () => {
  for (const role of ['owner', 'moderator', 'member'] as const) {
    assert.deepEqual(allowed(room('direct', role, true)), []);
  }
  for (const kind of ['public', 'private', 'direct'] as const) assert.deepEqual(allowed(room(kind, null, true)), []);
});

test('moderators touch plain members only, owners everybody', () => {
  const touched = (role: RoomRules['my_role']) =>
    (['owner', 'moderator', 'member'] as const).filter((target) => mayTouch(room('private', role), target));
  assert.deepEqual(touched('owner'), ['owner', 'moderator', 'member']);
  assert.deepEqual(touched('moderator'), ['member']);
});
