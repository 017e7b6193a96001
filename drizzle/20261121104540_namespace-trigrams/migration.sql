-- As of names, so of namespaces: a text within an id may lie in either. Where the extension cannot be had, those scan the names.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX entry_name_ns_trigram ON "entry_name" USING gin ("ns" gin_trgm_ops) WITH (gin_pending_list_limit = 256);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'no trigram index on namespaces: %', SQLERRM;
END $$;
