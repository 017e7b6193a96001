-- v0 is the root: it always exists and is empty. Its digest is the SHA-256 of nothing.
INSERT INTO "version" ("number", "parent", "revision", "created_at", "digest", "created", "updated", "deleted")
VALUES (0, NULL, 0, date_trunc('milliseconds', now()), encode(sha256(''::bytea), 'hex'), 0, 0, 0);
--> statement-breakpoint
INSERT INTO "head_pointer" ("revision", "version", "last_version", "version_digest", "transition_digest", "entry_count")
VALUES (0, 0, 0, encode(sha256(''::bytea), 'hex'), encode(sha256(''::bytea), 'hex'), 0);
--> statement-breakpoint
-- Trigrams serve "contains" and "suffix" on names. Where the extension cannot be had, those scan the names.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX entry_name_trigram ON "entry_name" USING gin ("name" gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'no trigram index on names: %', SQLERRM;
END $$;
