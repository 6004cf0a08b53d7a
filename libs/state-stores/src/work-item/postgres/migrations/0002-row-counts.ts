/**
 * Rows per slot, kept by triggers. A trigger only ever INSERTs a delta: a counter row that all writers update would make their
 * transactions wait for, and deadlock, each other. The leader folds the deltas.
 *
 * Ticks do not fire any of these triggers (they change neither the number of rows nor an id). A transition table is not allowed
 * with a column list, hence the row trigger for a changed id. `SECURITY DEFINER`: whoever may write rows need not be allowed to write here.
 */
export const rowCounts = `
CREATE TABLE ballast_scaler.row_counts (slot integer PRIMARY KEY, rows bigint NOT NULL) WITH (fillfactor = 50);
-- slot -1: the table was truncated.
CREATE TABLE ballast_scaler.row_deltas (slot integer NOT NULL, rows integer NOT NULL);

CREATE FUNCTION ballast_scaler.rows_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO ballast_scaler.row_deltas SELECT slot, count(*) FROM changed GROUP BY slot;
  RETURN NULL;
END $$;
CREATE FUNCTION ballast_scaler.rows_removed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO ballast_scaler.row_deltas SELECT slot, -count(*) FROM changed GROUP BY slot;
  RETURN NULL;
END $$;
CREATE FUNCTION ballast_scaler.row_renamed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO ballast_scaler.row_deltas VALUES (old.slot, -1), (new.slot, 1);
  RETURN NULL;
END $$;
CREATE FUNCTION ballast_scaler.rows_truncated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO ballast_scaler.row_deltas VALUES (-1, 0);
  RETURN NULL;
END $$;

CREATE TRIGGER ballast_rows_added AFTER INSERT ON public.work_items
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ballast_scaler.rows_added();
CREATE TRIGGER ballast_rows_removed AFTER DELETE ON public.work_items
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ballast_scaler.rows_removed();
CREATE TRIGGER ballast_row_renamed AFTER UPDATE OF id ON public.work_items
  FOR EACH ROW WHEN (old.id IS DISTINCT FROM new.id) EXECUTE FUNCTION ballast_scaler.row_renamed();
CREATE TRIGGER ballast_rows_truncated AFTER TRUNCATE ON public.work_items
  FOR EACH STATEMENT EXECUTE FUNCTION ballast_scaler.rows_truncated();

-- A row inserted after a TRUNCATE in another transaction may be folded together with it, so a truncation recounts from the table.
CREATE FUNCTION ballast_scaler.fold_row_counts(leader_epoch bigint, leader_nonce uuid, known boolean)
RETURNS TABLE (leads boolean, slot integer, rows bigint) LANGUAGE plpgsql AS $$
DECLARE
  truncated boolean;
BEGIN
  IF NOT ballast_scaler.leads(leader_epoch, leader_nonce) THEN RETURN QUERY SELECT false, 0, 0::bigint; RETURN; END IF;
  -- Asked several times a second: nothing is sent again that the caller has already.
  IF known AND NOT EXISTS (SELECT FROM ballast_scaler.row_deltas) THEN RETURN QUERY SELECT true, -2, 0::bigint; RETURN; END IF;
  SELECT EXISTS (SELECT FROM ballast_scaler.row_deltas d WHERE d.slot = -1) INTO truncated;
  IF truncated THEN
    WITH gone AS (DELETE FROM ballast_scaler.row_deltas RETURNING 1),
         counted AS (SELECT i.slot, count(*) AS n FROM public.work_items i GROUP BY i.slot)
    UPDATE ballast_scaler.row_counts c SET rows = coalesce((SELECT n FROM counted WHERE counted.slot = c.slot), 0);
  ELSE
    WITH gone AS (DELETE FROM ballast_scaler.row_deltas RETURNING row_deltas.slot, row_deltas.rows),
         delta AS (SELECT gone.slot, sum(gone.rows) AS n FROM gone GROUP BY gone.slot)
    UPDATE ballast_scaler.row_counts c SET rows = c.rows + delta.n FROM delta WHERE c.slot = delta.slot;
  END IF;
  RETURN QUERY SELECT true, c.slot, c.rows FROM ballast_scaler.row_counts c WHERE c.rows > 0
    UNION ALL SELECT true, -1, 0::bigint;
END $$;

-- One statement, hence one snapshot, sees the rows and the deltas that belong to them.
CREATE FUNCTION ballast_scaler.recount(leader_epoch bigint, leader_nonce uuid, from_slot integer, to_slot integer)
RETURNS TABLE (leads boolean, corrected bigint, error_rows bigint) LANGUAGE plpgsql AS $$
BEGIN
  IF NOT ballast_scaler.leads(leader_epoch, leader_nonce) THEN RETURN QUERY SELECT false, 0::bigint, 0::bigint; RETURN; END IF;
  RETURN QUERY
  WITH counted AS (
    SELECT i.slot, count(*) AS n, count(*) FILTER (WHERE i.value IS NULL) AS bad
    FROM public.work_items i WHERE i.slot BETWEEN from_slot AND to_slot GROUP BY i.slot
  ), pending AS (
    SELECT d.slot, sum(d.rows) AS n FROM ballast_scaler.row_deltas d WHERE d.slot BETWEEN from_slot AND to_slot GROUP BY d.slot
  ), off AS (
    SELECT c.slot, coalesce(counted.n, 0) - c.rows - coalesce(pending.n, 0) AS n
    FROM ballast_scaler.row_counts c LEFT JOIN counted USING (slot) LEFT JOIN pending USING (slot)
    WHERE c.slot BETWEEN from_slot AND to_slot
  ), correction AS (
    INSERT INTO ballast_scaler.row_deltas SELECT off.slot, off.n FROM off WHERE off.n <> 0 RETURNING abs(row_deltas.rows) AS n
  )
  SELECT true, (SELECT coalesce(sum(correction.n), 0)::bigint FROM correction),
    (SELECT coalesce(sum(counted.bad), 0)::bigint FROM counted);
END $$;
`
