CREATE TABLE "fencing" (
	"ns" text collate "C",
	"name" text collate "C",
	"token" bigint NOT NULL,
	CONSTRAINT "fencing_pkey" PRIMARY KEY("ns","name")
);
--> statement-breakpoint
CREATE TABLE "instance" (
	"id" uuid PRIMARY KEY,
	"ns" text collate "C" NOT NULL,
	"name" text collate "C" NOT NULL,
	"holder" text collate "C" NOT NULL,
	"acquired_at" timestamp(3) with time zone NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL,
	"ttl_seconds" integer NOT NULL,
	"token" bigint NOT NULL,
	"metadata" text,
	"metadata_bytes" integer NOT NULL,
	CONSTRAINT "instance_holder" UNIQUE("ns","name","holder")
);
--> statement-breakpoint
CREATE INDEX "instance_expires_at" ON "instance" ("expires_at");