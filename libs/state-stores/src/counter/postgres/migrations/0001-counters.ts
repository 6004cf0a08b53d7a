/**
 * A counter without a value is absent: its row is what writers of that name queue for. Absent rows are swept.
 * Names are compared by byte, as the port orders them. `batches` has a row for each commit of the last ten minutes, and
 * for each one that was given up: whoever comes second finds the row taken.
 */
export const counters = (schema: string): string => `
CREATE TABLE ${schema}.counters (
  name text COLLATE "C" PRIMARY KEY,
  value bigint,
  version bigint NOT NULL DEFAULT 0,
  expires_at_ms bigint
) WITH (fillfactor = 70);
CREATE INDEX counters_gone ON ${schema}.counters (name) WHERE value IS NULL;
CREATE INDEX counters_expiring ON ${schema}.counters (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

-- Each commit takes the numbers of a whole block, so its versions are consecutive.
CREATE SEQUENCE ${schema}.versions INCREMENT 1024 MINVALUE 0 START 0;

CREATE TABLE ${schema}.tokens (
  id text COLLATE "C" PRIMARY KEY,
  fingerprint text NOT NULL,
  expires_at_ms bigint NOT NULL,
  outcome text NOT NULL
);
CREATE INDEX tokens_expiring ON ${schema}.tokens (expires_at_ms);

-- How many tokens there are, without counting them: each writer adds up his own, by the part of the window they expire in.
CREATE TABLE ${schema}.token_tally (
  writer uuid NOT NULL,
  expires_at_ms bigint NOT NULL,
  tokens integer NOT NULL,
  PRIMARY KEY (writer, expires_at_ms)
) WITH (fillfactor = 50);

CREATE TABLE ${schema}.batches (id uuid PRIMARY KEY, voided boolean NOT NULL, at_ms bigint NOT NULL);
CREATE INDEX batches_at ON ${schema}.batches (at_ms);
`
