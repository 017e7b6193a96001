CREATE TABLE "acceptance" (
	"transaction" uuid,
	"operation" integer,
	"participant" text,
	CONSTRAINT "acceptance_pkey" PRIMARY KEY("transaction","operation","participant")
);
--> statement-breakpoint
CREATE TABLE "open_transaction" (
	"id" uuid PRIMARY KEY,
	"owner" uuid NOT NULL,
	"lease_until" timestamp(3) with time zone NOT NULL,
	"operations" bytea NOT NULL,
	"told" text[] NOT NULL
);
--> statement-breakpoint
CREATE INDEX "open_transaction_lease" ON "open_transaction" ("lease_until");--> statement-breakpoint
ALTER TABLE "acceptance" ADD CONSTRAINT "acceptance_transaction_open_transaction_id_fkey" FOREIGN KEY ("transaction") REFERENCES "open_transaction"("id") ON DELETE CASCADE;