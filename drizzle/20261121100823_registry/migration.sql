CREATE TABLE "change" (
	"ns" text collate "C",
	"name" text collate "C",
	"revision" bigint,
	"operation" text NOT NULL,
	"position" integer NOT NULL,
	"delete_position" integer,
	"kind" text collate "C",
	"meta" text,
	"data" text,
	"digest" text,
	"version" bigint,
	"previous_revision" bigint,
	"meta_index" jsonb,
	CONSTRAINT "change_pkey" PRIMARY KEY("ns","name","revision")
);
--> statement-breakpoint
CREATE TABLE "entry_name" (
	"ns" text collate "C",
	"name" text collate "C",
	CONSTRAINT "entry_name_pkey" PRIMARY KEY("ns","name")
);
--> statement-breakpoint
CREATE TABLE "head" (
	"ns" text collate "C",
	"name" text collate "C",
	"revision" bigint NOT NULL,
	"version" bigint NOT NULL,
	"kind" text collate "C" NOT NULL,
	"meta" text NOT NULL,
	"data" text NOT NULL,
	"digest" text NOT NULL,
	"meta_index" jsonb NOT NULL,
	CONSTRAINT "head_pkey" PRIMARY KEY("ns","name")
);
--> statement-breakpoint
CREATE TABLE "head_pointer" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"registry_id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"revision" bigint NOT NULL,
	"version" bigint NOT NULL,
	"last_version" bigint NOT NULL,
	"version_digest" text NOT NULL,
	"transition_digest" text NOT NULL,
	"entry_count" bigint NOT NULL,
	"moved_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"references_fingerprint" text DEFAULT '' NOT NULL,
	CONSTRAINT "head_pointer_one_row" CHECK ("id" = 1)
);
--> statement-breakpoint
CREATE TABLE "reference" (
	"ns" text collate "C",
	"name" text collate "C",
	"ordinal" integer,
	"path" text NOT NULL,
	"reference" text NOT NULL,
	"target_type" text NOT NULL,
	"target_ns" text collate "C" NOT NULL,
	"target_name" text collate "C" NOT NULL,
	CONSTRAINT "reference_pkey" PRIMARY KEY("ns","name","ordinal")
);
--> statement-breakpoint
CREATE TABLE "reply" (
	"author" text,
	"key" text,
	"digest" text NOT NULL,
	"revision" bigint,
	"version" bigint NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "reply_pkey" PRIMARY KEY("author","key")
);
--> statement-breakpoint
CREATE TABLE "transition" (
	"revision" bigint PRIMARY KEY,
	"kind" text NOT NULL,
	"from_version" bigint NOT NULL,
	"to_version" bigint NOT NULL,
	"author" text,
	"message" text,
	"created_at" timestamp(3) with time zone NOT NULL,
	"change_count" integer NOT NULL,
	"entry_count" bigint NOT NULL,
	"digest" text NOT NULL,
	"request_id" uuid NOT NULL CONSTRAINT "transition_request" UNIQUE
);
--> statement-breakpoint
CREATE TABLE "version" (
	"number" bigint PRIMARY KEY,
	"parent" bigint,
	"revision" bigint NOT NULL,
	"author" text,
	"message" text,
	"created_at" timestamp(3) with time zone NOT NULL,
	"changeset" bytea,
	"digest" text NOT NULL,
	"created" integer NOT NULL,
	"updated" integer NOT NULL,
	"deleted" integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX "change_revision" ON "change" ("revision","position");--> statement-breakpoint
CREATE INDEX "change_delete_position" ON "change" ("revision","delete_position") WHERE "delete_position" is not null;--> statement-breakpoint
CREATE INDEX "change_kind" ON "change" ("kind","ns","name");--> statement-breakpoint
CREATE INDEX "change_meta" ON "change" USING gin ("meta_index" jsonb_path_ops) WITH (gin_pending_list_limit=256);--> statement-breakpoint
CREATE INDEX "head_kind" ON "head" ("kind","ns","name");--> statement-breakpoint
CREATE INDEX "head_revision" ON "head" ("revision","ns","name");--> statement-breakpoint
CREATE INDEX "head_meta" ON "head" USING gin ("meta_index" jsonb_path_ops) WITH (gin_pending_list_limit=256);--> statement-breakpoint
CREATE INDEX "reference_target" ON "reference" ("target_type","target_ns","target_name");--> statement-breakpoint
CREATE INDEX "reply_created_at" ON "reply" ("created_at");--> statement-breakpoint
CREATE INDEX "transition_created_at" ON "transition" ("created_at");--> statement-breakpoint
CREATE INDEX "version_parent" ON "version" ("parent");