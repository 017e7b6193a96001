/*
 * A stamp identifies the state of the registry on which a batch was planned. The statement that writes the batch
 * compares it with head_pointer's and writes nothing if they differ.
 *
 *   same history    registry, revision, and the digests of its version and transition
 *   same settings   oldest revision (compaction), fingerprint of the dependency patterns (the reference index)
 *   same moment     moved_at, for changes that move neither: see TOUCH_HEAD_POINTER
 *
 * Row versions (xmin, ctid) would be shorter, but are unique within one timeline only. A promoted standby assigns the
 * same transaction ids again, for another history.
 *
 * Some things are not compared, because a plan does not depend on them: tags (no changeset reads them), replies
 * (another reply under the same key violates the key of `reply`) and participants (the statement itself checks for them).
 */

/** The stamp of head_pointer's row, as an expression. No two different states of a registry have the same one. */
export const HEAD_STAMP = `(registry_id || ' ' || revision || ' ' || version_digest || ' ' || transition_digest || ' ' ||
  oldest_revision || ' ' || extract(epoch FROM moved_at) || ' ' || references_fingerprint)`

/**
 * Changes the stamp although the head does not move, so that earlier plans can no longer be written. The next
 * transition is at least as late as `moved_at`, so one millisecond does no harm.
 */
export const TOUCH_HEAD_POINTER = `UPDATE head_pointer SET moved_at = moved_at + interval '1 millisecond'`
