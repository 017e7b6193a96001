CREATE TABLE "gateway" (
	"id" uuid PRIMARY KEY,
	"lease_until" timestamp(3) with time zone NOT NULL,
	"listens" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mailbox" (
	"gateway" uuid,
	"seq" bigserial,
	"topic" text NOT NULL,
	"header" text NOT NULL,
	"body" text NOT NULL,
	"bytes" integer NOT NULL,
	CONSTRAINT "mailbox_pkey" PRIMARY KEY("gateway","seq")
);
--> statement-breakpoint
CREATE TABLE "participation" (
	"id" uuid PRIMARY KEY,
	"gateway" uuid NOT NULL,
	"name" text NOT NULL,
	"kinds" text[] NOT NULL,
	"on_failure" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "proposal" (
	"id" uuid PRIMARY KEY,
	"gateway" uuid NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL,
	"answer" uuid
);
--> statement-breakpoint
CREATE INDEX "gateway_lease" ON "gateway" ("lease_until");--> statement-breakpoint
CREATE INDEX "participation_gateway" ON "participation" ("gateway");--> statement-breakpoint
CREATE INDEX "proposal_gateway" ON "proposal" ("gateway");--> statement-breakpoint
ALTER TABLE "mailbox" ADD CONSTRAINT "mailbox_gateway_gateway_id_fkey" FOREIGN KEY ("gateway") REFERENCES "gateway"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "participation" ADD CONSTRAINT "participation_gateway_gateway_id_fkey" FOREIGN KEY ("gateway") REFERENCES "gateway"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "proposal" ADD CONSTRAINT "proposal_gateway_gateway_id_fkey" FOREIGN KEY ("gateway") REFERENCES "gateway"("id") ON DELETE CASCADE;