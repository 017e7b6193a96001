CREATE TABLE "source" (
	"name" text collate "C" PRIMARY KEY,
	"holder" uuid NOT NULL,
	"lease_until" timestamp(3) with time zone NOT NULL,
	"term" bigint DEFAULT 1 NOT NULL,
	"writing_since" bigint,
	"state" text
);
--> statement-breakpoint
CREATE TABLE "source_entry" (
	"source" text collate "C",
	"ns" text collate "C",
	"name" text collate "C",
	"location" text,
	"digest" text NOT NULL,
	"revision" bigint,
	CONSTRAINT "source_entry_pkey" PRIMARY KEY("source","ns","name")
);
--> statement-breakpoint
CREATE TABLE "source_location" (
	"source" text collate "C",
	"key" text,
	"location" text NOT NULL,
	"stamp" text,
	"entries" integer NOT NULL,
	CONSTRAINT "source_location_pkey" PRIMARY KEY("source","key")
);
--> statement-breakpoint
CREATE TABLE "source_request" (
	"id" uuid PRIMARY KEY,
	"source" text collate "C" NOT NULL,
	"asked_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"report" text
);
--> statement-breakpoint
CREATE INDEX "source_entry_owned" ON "source_entry" ("ns","name") WHERE "revision" is not null;--> statement-breakpoint
CREATE INDEX "source_entry_location" ON "source_entry" ("source",md5("location"));