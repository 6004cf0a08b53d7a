/**
 * Pause and resume, workers that are away for a restart, zones, why slots move, and limits that are changed while all runs.
 *
 * While all is paused the leases have no slots, so that no tick, of whatever release, finds anything to credit. Fences change with
 * it: a tick that runs is waited for, one that comes later is refused.
 *
 * Functions that get another parameter keep their old form, for programs of the release before.
 */
export const operations = `
ALTER TABLE ballast_scaler.settings
  ADD COLUMN paused_tick bigint, ADD COLUMN resume_tick bigint, ADD COLUMN resumed_slots integer NOT NULL DEFAULT 0,
  ADD COLUMN skips bigint NOT NULL DEFAULT 0, ADD COLUMN limits jsonb NOT NULL DEFAULT '{}';
ALTER TABLE ballast_scaler.workers ADD COLUMN zone text NOT NULL DEFAULT '', ADD COLUMN away boolean NOT NULL DEFAULT false;
ALTER TABLE ballast_scaler.slots ADD COLUMN cause text, ADD COLUMN target_cause text, ADD COLUMN history jsonb NOT NULL DEFAULT '[]';

-- Those that can be given slots: one that is away keeps what it has, and gets nothing.
CREATE OR REPLACE FUNCTION ballast_scaler.living() RETURNS text[] LANGUAGE sql VOLATILE AS
  'SELECT ARRAY(SELECT w.name FROM ballast_scaler.workers w WHERE w.expires_at > clock_timestamp() AND NOT w.away)';

CREATE OR REPLACE FUNCTION ballast_scaler.bump_leases(names text[]) RETURNS void LANGUAGE sql AS $$
  UPDATE ballast_scaler.settings SET map_version = map_version + 1;
  UPDATE ballast_scaler.leases l
  SET epoch = l.epoch + 1, nonce = gen_random_uuid(),
      slots = CASE WHEN (SELECT paused_tick FROM ballast_scaler.settings) IS NOT NULL THEN '{}'::integer[]
        ELSE ARRAY(SELECT s.slot FROM ballast_scaler.slots s WHERE s.owner = l.worker ORDER BY s.slot) END
  WHERE l.worker = ANY (names);
$$;

CREATE FUNCTION ballast_scaler.register(worker_name text, worker_incarnation uuid, worker_weight double precision, ttl_ms double precision, worker_zone text)
RETURNS SETOF ballast_scaler.leases LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  PERFORM FROM ballast_scaler.settings FOR UPDATE;
  INSERT INTO ballast_scaler.leases AS l VALUES (worker_name, worker_incarnation, 1, gen_random_uuid(), '{}')
    ON CONFLICT (worker) DO UPDATE SET incarnation = worker_incarnation;
  PERFORM ballast_scaler.bump_leases(ARRAY[worker_name]);
  INSERT INTO ballast_scaler.workers (name, incarnation, weight, zone, expires_at)
    VALUES (worker_name, worker_incarnation, worker_weight, worker_zone, clock_timestamp() + ttl_ms * interval '1 ms')
    ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation, weight = excluded.weight, zone = excluded.zone,
      draining = false, away = false, expires_at = excluded.expires_at;
  RETURN QUERY SELECT * FROM ballast_scaler.leases l WHERE l.worker = worker_name;
END $$;
CREATE OR REPLACE FUNCTION ballast_scaler.register(worker_name text, worker_incarnation uuid, worker_weight double precision, ttl_ms double precision)
RETURNS SETOF ballast_scaler.leases LANGUAGE sql AS
  'SELECT * FROM ballast_scaler.register(worker_name, worker_incarnation, worker_weight, ttl_ms, '''')';

CREATE FUNCTION ballast_scaler.publish(leader_epoch bigint, leader_nonce uuid, moved integer[], targets text[], why text)
RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
BEGIN
  PERFORM FROM ballast_scaler.settings FOR UPDATE;
  IF NOT ballast_scaler.leads(leader_epoch, leader_nonce) THEN RETURN false; END IF;
  UPDATE ballast_scaler.slots s SET target = m.target, target_cause = why
    FROM unnest(moved, targets) AS m (slot, target) WHERE s.slot = m.slot;
  UPDATE ballast_scaler.settings SET map_version = map_version + 1;
  RETURN true;
END $$;
CREATE OR REPLACE FUNCTION ballast_scaler.publish(leader_epoch bigint, leader_nonce uuid, moved integer[], targets text[])
RETURNS boolean LANGUAGE sql AS 'SELECT ballast_scaler.publish(leader_epoch, leader_nonce, moved, targets, NULL)';

-- The latest former owners of a slot, with this one in front.
CREATE FUNCTION ballast_scaler.with_former(former jsonb, owner text, since timestamptz, cause text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN owner IS NULL THEN former ELSE
    (jsonb_build_array(jsonb_build_object('owner', owner, 'sinceMs', floor(extract(epoch FROM since) * 1000), 'cause', cause)) || former) - 5
  END
$$;

CREATE OR REPLACE FUNCTION ballast_scaler.hand_over(donor text, donor_incarnation uuid, donor_epoch bigint, donor_nonce uuid)
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
  UPDATE ballast_scaler.slots s SET owner = s.target, since = clock_timestamp(), cause = s.target_cause,
      history = ballast_scaler.with_former(s.history, s.owner, s.since, s.cause)
    WHERE s.owner = donor AND s.owner IS DISTINCT FROM s.target AND s.target = ANY (involved);
  GET DIAGNOSTICS given = ROW_COUNT;
  IF given > 0 THEN PERFORM ballast_scaler.bump_leases(involved); END IF;
  RETURN QUERY SELECT given, l.epoch, l.nonce, l.slots FROM ballast_scaler.leases l WHERE l.worker = donor;
END $$;

CREATE OR REPLACE FUNCTION ballast_scaler.take_over(leader_epoch bigint, leader_nonce uuid)
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
  UPDATE ballast_scaler.slots s SET owner = s.target, since = clock_timestamp(), cause = s.target_cause,
      history = ballast_scaler.with_former(s.history, s.owner, s.since, s.cause)
    WHERE s.owner IS DISTINCT FROM s.target AND (s.owner IS NULL OR s.owner = ANY (gone)) AND s.target = ANY (involved);
  GET DIAGNOSTICS taken = ROW_COUNT;
  PERFORM ballast_scaler.bump_leases(gone || involved);
  SELECT coalesce(extract(epoch FROM clock_timestamp() - min(w.last_tick_at)) * 1000, 0) INTO unowned_ms
    FROM ballast_scaler.workers w WHERE w.name = ANY (gone);
  leads := true;
  RETURN NEXT;
END $$;

CREATE FUNCTION ballast_scaler.pause() RETURNS text LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  state ballast_scaler.settings;
BEGIN
  SELECT * INTO state FROM ballast_scaler.settings FOR UPDATE;
  IF state.resume_tick IS NOT NULL THEN RETURN 'resuming'; END IF;
  IF state.paused_tick IS NOT NULL THEN RETURN 'already-paused'; END IF;
  -- Waits for the ticks that run: nothing is credited beyond the tick that is noted here.
  PERFORM FROM ballast_scaler.leases l ORDER BY l.worker FOR UPDATE;
  UPDATE ballast_scaler.settings SET paused_tick = floor(extract(epoch FROM clock_timestamp()));
  PERFORM ballast_scaler.bump_leases(ARRAY(SELECT l.worker FROM ballast_scaler.leases l));
  RETURN 'paused';
END $$;

CREATE FUNCTION ballast_scaler.begin_to_resume(catch_up boolean) RETURNS void LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  state ballast_scaler.settings;
BEGIN
  SELECT * INTO state FROM ballast_scaler.settings FOR UPDATE;
  IF state.paused_tick IS NULL OR state.resume_tick IS NOT NULL THEN RETURN; END IF;
  IF catch_up THEN
    UPDATE ballast_scaler.settings SET paused_tick = NULL;
    PERFORM FROM ballast_scaler.leases l ORDER BY l.worker FOR UPDATE;
    PERFORM ballast_scaler.bump_leases(ARRAY(SELECT l.worker FROM ballast_scaler.leases l));
  ELSE
    UPDATE ballast_scaler.settings SET resumed_slots = 0,
      resume_tick = greatest(paused_tick, floor(extract(epoch FROM clock_timestamp())));
  END IF;
END $$;

-- A part of the rows skips the time of the pause, each once: the mark is moved in the same transaction. What was due before the pause
-- stays due. The last part gives the leases their slots back.
CREATE FUNCTION ballast_scaler.resume_slots(part integer) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  state ballast_scaler.settings;
BEGIN
  SELECT * INTO state FROM ballast_scaler.settings FOR UPDATE;
  IF state.resume_tick IS NULL THEN RETURN state.paused_tick IS NULL; END IF;
  IF state.resumed_slots < state.slots THEN
    UPDATE public.work_items SET last_tick = state.resume_tick - greatest(0, state.paused_tick - last_tick)
      WHERE slot >= state.resumed_slots AND slot < state.resumed_slots + part AND last_tick < state.resume_tick;
    UPDATE ballast_scaler.settings SET resumed_slots = state.resumed_slots + part;
    RETURN false;
  END IF;
  UPDATE ballast_scaler.settings SET paused_tick = NULL, resume_tick = NULL, skips = skips + 1;
  PERFORM FROM ballast_scaler.leases l ORDER BY l.worker FOR UPDATE;
  PERFORM ballast_scaler.bump_leases(ARRAY(SELECT l.worker FROM ballast_scaler.leases l));
  RETURN true;
END $$;
`
