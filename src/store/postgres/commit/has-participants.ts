/** Whether somebody takes part in changesets, on whichever gateway: an expression. */
export const HAS_PARTICIPANTS = `EXISTS (
  SELECT FROM participation p JOIN gateway g ON g.id = p.gateway WHERE g.lease_until > clock_timestamp())`
