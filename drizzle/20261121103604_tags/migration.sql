CREATE TABLE "tag" (
	"name" text collate "C" PRIMARY KEY,
	"version" bigint NOT NULL,
	"movable" boolean NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"author" text,
	"digest" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "head_pointer" ADD COLUMN "tag_sum" text DEFAULT '0000000000000000000000000000000000000000000000000000000000000000' NOT NULL;--> statement-breakpoint
CREATE INDEX "change_ns" ON "change" ("ns","revision","position");--> statement-breakpoint
CREATE INDEX "change_ns_delete_position" ON "change" ("ns","revision","delete_position") WHERE "delete_position" is not null;--> statement-breakpoint
CREATE INDEX "tag_version" ON "tag" ("version");