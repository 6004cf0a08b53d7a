/**
 * Who owns what.
 *
 * Order of locks everywhere: `settings` (the mutex of the map) before `leases` in order of names before `slots`. A tick takes only a share lock
 * on its own lease. Each function runs as one autocommit statement, so a client that is stopped in its midst holds no lock.
 * They wait longer for locks than other statements, because they may have to wait for whole ticks.
 * READ COMMITTED gives every statement inside a function a fresh snapshot: what is read after a lock is current.
 */
export const ownership = `
CREATE SCHEMA IF NOT EXISTS ballast_scaler;

CREATE TABLE ballast_scaler.settings (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  slots integer NOT NULL,
  map_version bigint NOT NULL DEFAULT 0
);

CREATE TABLE ballast_scaler.leader (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  holder text NOT NULL DEFAULT '',
  epoch bigint NOT NULL DEFAULT 0,
  nonce uuid NOT NULL DEFAULT gen_random_uuid(),
  expires_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO ballast_scaler.leader DEFAULT VALUES;

-- Heartbeats are apart from leases: an UPDATE of a lease waits for the tick that runs under it.
CREATE TABLE ballast_scaler.workers (
  name text PRIMARY KEY,
  incarnation uuid NOT NULL,
  weight double precision NOT NULL,
  draining boolean NOT NULL DEFAULT false,
  expires_at timestamptz NOT NULL,
  rows bigint NOT NULL DEFAULT 0,
  last_tick_at timestamptz,
  longest_gap_ticks bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Rows stay when workers go: an epoch must never come again.
CREATE TABLE ballast_scaler.leases (
  worker text PRIMARY KEY,
  incarnation uuid NOT NULL,
  epoch bigint NOT NULL,
  nonce uuid NOT NULL,
  slots integer[] NOT NULL
);

CREATE TABLE ballast_scaler.slots (
  slot integer PRIMARY KEY,
  owner text,
  target text,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
CREATE INDEX slots_to_move ON ballast_scaler.slots (owner) WHERE owner IS DISTINCT FROM target;

CREATE TABLE ballast_scaler.events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind text NOT NULL,
  detail jsonb NOT NULL
);

CREATE FUNCTION ballast_scaler.living() RETURNS text[] LANGUAGE sql VOLATILE AS
  'SELECT ARRAY(SELECT w.name FROM ballast_scaler.workers w WHERE w.expires_at > clock_timestamp())';

CREATE FUNCTION ballast_scaler.leads(leader_epoch bigint, leader_nonce uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM ballast_scaler.leader l
    WHERE l.epoch = leader_epoch AND l.nonce = leader_nonce AND l.expires_at > clock_timestamp() FOR SHARE;
  RETURN FOUND;
END $$;

CREATE FUNCTION ballast_scaler.bump_leases(names text[]) RETURNS void LANGUAGE sql AS $$
  UPDATE ballast_scaler.settings SET map_version = map_version + 1;
  UPDATE ballast_scaler.leases l
  SET epoch = l.epoch + 1, nonce = gen_random_uuid(),
      slots = ARRAY(SELECT s.slot FROM ballast_scaler.slots s WHERE s.owner = l.worker ORDER BY s.slot)
  WHERE l.worker = ANY (names);
$$;

CREATE FUNCTION ballast_scaler.register(worker_name text, worker_incarnation uuid, worker_weight double precision, ttl_ms double precision)
RETURNS SETOF ballast_scaler.leases LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  PERFORM FROM ballast_scaler.settings FOR UPDATE;
  INSERT INTO ballast_scaler.leases AS l VALUES (worker_name, worker_incarnation, 1, gen_random_uuid(), '{}')
    ON CONFLICT (worker) DO UPDATE SET incarnation = worker_incarnation;
  PERFORM ballast_scaler.bump_leases(ARRAY[worker_name]);
  INSERT INTO ballast_scaler.workers (name, incarnation, weight, expires_at)
    VALUES (worker_name, worker_incarnation, worker_weight, clock_timestamp() + ttl_ms * interval '1 ms')
    ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation, weight = excluded.weight, draining = false,
      expires_at = excluded.expires_at;
  RETURN QUERY SELECT * FROM ballast_scaler.leases l WHERE l.worker = worker_name;
END $$;

CREATE FUNCTION ballast_scaler.publish(leader_epoch bigint, leader_nonce uuid, moved integer[], targets text[])
RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  PERFORM FROM ballast_scaler.settings FOR UPDATE;
  IF NOT ballast_scaler.leads(leader_epoch, leader_nonce) THEN RETURN false; END IF;
  UPDATE ballast_scaler.slots s SET target = m.target
    FROM unnest(moved, targets) AS m (slot, target) WHERE s.slot = m.slot;
  UPDATE ballast_scaler.settings SET map_version = map_version + 1;
  RETURN true;
END $$;

-- The donor's own step, after its tick: the slots change hands only now, so the receiver's next tick is the rows' next tick.
CREATE FUNCTION ballast_scaler.hand_over(donor text, donor_incarnation uuid, donor_epoch bigint, donor_nonce uuid)
RETURNS TABLE (handed integer, epoch bigint, nonce uuid, slots integer[]) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  living text[];
  involved text[];
  given integer;
BEGIN
  PERFORM FROM ballast_scaler.settings FOR UPDATE;
  living := ballast_scaler.living();
  involved := ARRAY(SELECT DISTINCT s.target FROM ballast_scaler.slots s
    WHERE s.owner = donor AND s.owner IS DISTINCT FROM s.target AND s.target = ANY (living)) || donor;
  PERFORM FROM ballast_scaler.leases l WHERE l.worker = ANY (involved) ORDER BY l.worker FOR UPDATE;
  PERFORM FROM ballast_scaler.leases l
    WHERE l.worker = donor AND l.incarnation = donor_incarnation AND l.epoch = donor_epoch AND l.nonce = donor_nonce;
  IF NOT FOUND THEN RETURN; END IF;
  UPDATE ballast_scaler.slots s SET owner = s.target, since = clock_timestamp()
    WHERE s.owner = donor AND s.owner IS DISTINCT FROM s.target AND s.target = ANY (involved);
  GET DIAGNOSTICS given = ROW_COUNT;
  IF given > 0 THEN PERFORM ballast_scaler.bump_leases(involved); END IF;
  RETURN QUERY SELECT given, l.epoch, l.nonce, l.slots FROM ballast_scaler.leases l WHERE l.worker = donor;
END $$;

CREATE FUNCTION ballast_scaler.take_over(leader_epoch bigint, leader_nonce uuid)
RETURNS TABLE (leads boolean, taken integer, unowned_ms double precision) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  living text[];
  gone text[];
  involved text[];
BEGIN
  PERFORM FROM ballast_scaler.settings FOR UPDATE;
  IF NOT ballast_scaler.leads(leader_epoch, leader_nonce) THEN RETURN QUERY SELECT false, 0, 0::double precision; RETURN; END IF;
  living := ballast_scaler.living();
  gone := ARRAY(SELECT DISTINCT s.owner FROM ballast_scaler.slots s
    WHERE s.owner IS DISTINCT FROM s.target AND s.owner <> ALL (living));
  involved := ARRAY(SELECT DISTINCT s.target FROM ballast_scaler.slots s
    WHERE s.owner IS DISTINCT FROM s.target AND (s.owner IS NULL OR s.owner = ANY (gone)) AND s.target = ANY (living));
  IF cardinality(involved) = 0 THEN RETURN QUERY SELECT true, 0, 0::double precision; RETURN; END IF;
  -- Waits for the last tick of those that are gone, should one still be running.
  PERFORM FROM ballast_scaler.leases l WHERE l.worker = ANY (gone || involved) ORDER BY l.worker FOR UPDATE;
  UPDATE ballast_scaler.slots s SET owner = s.target, since = clock_timestamp()
    WHERE s.owner IS DISTINCT FROM s.target AND (s.owner IS NULL OR s.owner = ANY (gone)) AND s.target = ANY (involved);
  GET DIAGNOSTICS taken = ROW_COUNT;
  PERFORM ballast_scaler.bump_leases(gone || involved);
  SELECT coalesce(extract(epoch FROM clock_timestamp() - min(w.last_tick_at)) * 1000, 0) INTO unowned_ms
    FROM ballast_scaler.workers w WHERE w.name = ANY (gone);
  leads := true;
  RETURN NEXT;
END $$;
`
