/*
 * A stamp says which state of the registry a batch was planned on. The statement that writes the batch compares it with
 * head_pointer's and writes nothing if they differ.
 *
 *   same history    registry, revision, and the digests of its version and transition
 *   same settings   oldest revision (compaction), fingerprint of the dependency patterns (the reference index)
 *   same moment     moved_at, for changes that move neither: see TOUCH_HEAD_POINTER
 *
 * Row versions (xmin, ctid) would be shorter, but are unique within one timeline only: a promoted standby hands out
 * the same transaction ids again, for another history.
 *
 * Not compared, because a plan does not depend on it: tags (a changeset looks at none), replies (another reply under the
 * same key violates the key of `reply`) and participants (the statement itself looks for them).
 */

/** The stamp of head_pointer's row, as an expression. Of two different states of a registry no two are equal. */
export const HEAD_STAMP = `(registry_id || ' ' || revision || ' ' || version_digest || ' ' || transition_digest || ' ' ||
  oldest_revision || ' ' || extract(epoch FROM moved_at) || ' ' || references_fingerprint)`

/**
 * Changes the stamp although the head stays where it is: whatever was planned before can no longer be written. The next
 * transition is at least as late as `moved_at`, so one millisecond does no harm.
 */
export const TOUCH_HEAD_POINTER = `UPDATE head_pointer SET moved_at = moved_at + interval '1 millisecond'`
