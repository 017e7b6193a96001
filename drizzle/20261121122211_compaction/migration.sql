CREATE TABLE "baseline" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"revision" bigint NOT NULL,
	"versions_digest" text NOT NULL,
	"transitions_digest" text NOT NULL,
	"rows" text NOT NULL,
	"removed" boolean NOT NULL,
	CONSTRAINT "baseline_one_row" CHECK ("id" = 1)
);
--> statement-breakpoint
ALTER TABLE "head_pointer" ADD COLUMN "oldest_revision" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "version" ADD COLUMN "state" text;--> statement-breakpoint
CREATE INDEX "version_state" ON "version" ("number") WHERE "state" is not null;