/**
 * What one row says must not stop the others: a `last_tick` below 0 counts as 0 for the end of a pause, as it does for a tick, since the
 * difference to the smallest bigint does not fit one. A gap that a worker has seen is forgotten when its name registers anew.
 */
export const oddTicks = `
CREATE OR REPLACE FUNCTION ballast_scaler.resume_slots(part integer) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
  state ballast_scaler.settings;
BEGIN
  SELECT * INTO state FROM ballast_scaler.settings FOR UPDATE;
  IF state.resume_tick IS NULL THEN RETURN state.paused_tick IS NULL; END IF;
  IF state.resumed_slots < state.slots THEN
    UPDATE public.work_items SET last_tick = state.resume_tick - greatest(0, state.paused_tick - greatest(last_tick, 0))
      WHERE slot >= state.resumed_slots AND slot < state.resumed_slots + part AND last_tick < state.resume_tick;
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
