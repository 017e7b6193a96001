-- v0 is the root: it always exists and is empty. It has no changeset; its digest is of the millisecond it was made.
WITH "born" AS (SELECT date_trunc('milliseconds', now()) AS "at")
INSERT INTO "version" ("number", "revision", "created_at", "digest", "created", "updated", "deleted")
SELECT 0, 0, "at", encode(sha256(convert_to((extract(epoch from "at") * 1000)::bigint::text, 'UTF8')), 'hex'), 0, 0, 0 FROM "born";
--> statement-breakpoint
INSERT INTO "head_pointer" ("revision", "version", "last_version", "version_digest", "transition_digest", "entry_count")
SELECT 0, 0, 0, "digest", encode(sha256(''::bytea), 'hex'), 0 FROM "version" WHERE "number" = 0;
--> statement-breakpoint
-- Trigrams serve "contains" and "suffix" on names. Where the extension cannot be had, those scan the names.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX entry_name_trigram ON "entry_name" USING gin ("name" gin_trgm_ops) WITH (gin_pending_list_limit = 256);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'no trigram index on names: %', SQLERRM;
END $$;
