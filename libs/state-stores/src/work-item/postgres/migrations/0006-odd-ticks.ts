/**
 * What is wrong with one row must not stop the others.
 *
 * - A `last_tick` below 0 counts as 0 for the end of a pause, as it does for a tick: the difference to the smallest bigint does not fit one.
 * - A slot with a row that somebody keeps locked at the end of a pause is *held*: no lease has it, until its rows were free at one moment
 *   and have skipped the pause, all in one transaction. The leader tries again with each step; all other slots go on. There is no next
 *   pause before that: a row must know what it is to skip.
 * - A gap that a worker has seen is forgotten when its name registers anew.
 */
export const oddTicks = `
ALTER TABLE ballast_scaler.slots ADD COLUMN held_from bigint, ADD COLUMN held_to bigint;
CREATE INDEX slots_held ON ballast_scaler.slots (slot) WHERE held_to IS NOT NULL;

CREATE OR REPLACE FUNCTION ballast_scaler.bump_leases(names text[]) RETURNS void LANGUAGE sql AS $$
  UPDATE ballast_scaler.settings SET map_version = map_version + 1;
  UPDATE ballast_scaler.leases l
  SET epoch = l.epoch + 1, nonce = gen_random_uuid(),
      slots = CASE WHEN (SELECT paused_tick FROM ballast_scaler.settings) IS NOT NULL THEN '{}'::integer[]
        ELSE ARRAY(SELECT s.slot FROM ballast_scaler.slots s WHERE s.owner = l.worker AND s.held_to IS NULL ORDER BY s.slot) END
  WHERE l.worker = ANY (names);
$$;

CREATE OR REPLACE FUNCTION ballast_scaler.pause() RETURNS text LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  state ballast_scaler.settings;
BEGIN
  SELECT * INTO state FROM ballast_scaler.settings FOR UPDATE;
  IF state.resume_tick IS NOT NULL OR EXISTS (SELECT FROM ballast_scaler.slots s WHERE s.held_to IS NOT NULL) THEN RETURN 'resuming'; END IF;
  IF state.paused_tick IS NOT NULL THEN RETURN 'already-paused'; END IF;
  -- Waits for the ticks that run: nothing is credited beyond the tick that is noted here.
  PERFORM FROM ballast_scaler.leases l ORDER BY l.worker FOR UPDATE;
  UPDATE ballast_scaler.settings SET paused_tick = floor(extract(epoch FROM clock_timestamp()));
  PERFORM ballast_scaler.bump_leases(ARRAY(SELECT l.worker FROM ballast_scaler.leases l));
  RETURN 'paused';
END $$;

-- Those held slots skip the pause whose rows can all be locked now; returns which.
CREATE OR REPLACE FUNCTION ballast_scaler.release_held_slots() RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
  released integer[];
BEGIN
  WITH held AS MATERIALIZED (
    SELECT s.slot, s.held_to FROM ballast_scaler.slots s WHERE s.held_to IS NOT NULL
  ), due AS MATERIALIZED (
    SELECT h.slot, count(*) AS n FROM held h JOIN public.work_items i ON i.slot = h.slot AND i.last_tick < h.held_to GROUP BY h.slot
  ), locked AS MATERIALIZED (
    SELECT h.slot FROM held h JOIN public.work_items i ON i.slot = h.slot AND i.last_tick < h.held_to FOR NO KEY UPDATE OF i SKIP LOCKED
  ), mine AS (
    SELECT locked.slot, count(*) AS n FROM locked GROUP BY locked.slot
  )
  SELECT array_agg(held.slot) INTO released FROM held LEFT JOIN due USING (slot) LEFT JOIN mine USING (slot)
    WHERE coalesce(due.n, 0) <= coalesce(mine.n, 0);
  -- Another statement, which sees the versions that were locked.
  UPDATE public.work_items i SET last_tick = s.held_to - greatest(0, s.held_from - greatest(i.last_tick, 0))
    FROM ballast_scaler.slots s WHERE s.slot = ANY (released) AND i.slot = s.slot AND i.last_tick < s.held_to;
  UPDATE ballast_scaler.slots s SET held_from = NULL, held_to = NULL WHERE s.slot = ANY (released);
  RETURN coalesce(released, '{}');
END $$;

CREATE OR REPLACE FUNCTION ballast_scaler.resume_slots(part integer) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  state ballast_scaler.settings;
  released integer[];
  owners text[];
BEGIN
  SELECT * INTO state FROM ballast_scaler.settings FOR UPDATE;
  IF state.resume_tick IS NULL THEN
    IF state.paused_tick IS NOT NULL OR NOT EXISTS (SELECT FROM ballast_scaler.slots s WHERE s.held_to IS NOT NULL) THEN RETURN true; END IF;
    released := ballast_scaler.release_held_slots();
    IF cardinality(released) = 0 THEN RETURN true; END IF;
    UPDATE ballast_scaler.settings SET skips = skips + 1;
    owners := ARRAY(SELECT DISTINCT s.owner FROM ballast_scaler.slots s WHERE s.slot = ANY (released) AND s.owner IS NOT NULL);
    PERFORM FROM ballast_scaler.leases l WHERE l.worker = ANY (owners) ORDER BY l.worker FOR UPDATE;
    PERFORM ballast_scaler.bump_leases(owners);
    RETURN true;
  END IF;
  IF state.resumed_slots < state.slots THEN
    BEGIN
      PERFORM set_config('lock_timeout', '500ms', true);
      UPDATE public.work_items SET last_tick = state.resume_tick - greatest(0, state.paused_tick - greatest(last_tick, 0))
        WHERE slot >= state.resumed_slots AND slot < state.resumed_slots + part AND last_tick < state.resume_tick;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM set_config('lock_timeout', '5s', true);
      UPDATE ballast_scaler.slots s SET held_from = state.paused_tick, held_to = state.resume_tick
        WHERE s.slot >= state.resumed_slots AND s.slot < state.resumed_slots + part;
      PERFORM ballast_scaler.release_held_slots();
    END;
    UPDATE ballast_scaler.settings SET resumed_slots = state.resumed_slots + part;
    RETURN false;
  END IF;
  UPDATE ballast_scaler.settings SET paused_tick = NULL, resume_tick = NULL, skips = skips + 1;
  PERFORM FROM ballast_scaler.leases l ORDER BY l.worker FOR UPDATE;
  PERFORM ballast_scaler.bump_leases(ARRAY(SELECT l.worker FROM ballast_scaler.leases l));
  RETURN true;
END $$;

CREATE OR REPLACE FUNCTION ballast_scaler.register(worker_name text, worker_incarnation uuid, worker_weight double precision, ttl_ms double precision, worker_zone text)
RETURNS SETOF ballast_scaler.leases LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  PERFORM FROM ballast_scaler.settings FOR UPDATE;
  INSERT INTO ballast_scaler.leases AS l VALUES (worker_name, worker_incarnation, 1, gen_random_uuid(), '{}')
    ON CONFLICT (worker) DO UPDATE SET incarnation = worker_incarnation;
  PERFORM ballast_scaler.bump_leases(ARRAY[worker_name]);
  INSERT INTO ballast_scaler.workers (name, incarnation, weight, zone, expires_at)
    VALUES (worker_name, worker_incarnation, worker_weight, worker_zone, clock_timestamp() + ttl_ms * interval '1 ms')
    ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation, weight = excluded.weight, zone = excluded.zone,
      draining = false, away = false, expires_at = excluded.expires_at, longest_gap_ticks = 0;
  RETURN QUERY SELECT * FROM ballast_scaler.leases l WHERE l.worker = worker_name;
END $$;
`
