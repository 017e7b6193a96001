/** An SQL expression for whether a client participates in transactions at any live gateway. */
export const HAS_PARTICIPANTS = `EXISTS (
  SELECT FROM participation p JOIN gateway g ON g.id = p.gateway WHERE g.lease_until > clock_timestamp())`
