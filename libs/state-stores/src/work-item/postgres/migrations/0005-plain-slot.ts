import { slotExpression } from '../slot-expression.ts'

/**
 * `slot` becomes a plain column which triggers keep equal to the slot of the id: a stored generated column doubles the cost of a tick,
 * because PostgreSQL reads its expression from the catalog again for every row of an update that does not compute it anew
 * (`ExecInitGenerated`, seen in 18). The table is not rewritten.
 *
 * - Whatever an INSERT says about `slot` is replaced. Triggers fire in the order of their names: this one after others, which may set the
 *   id. It fires for `session_replication_role = replica` too. With triggers disabled (`pg_restore --disable-triggers`) the default holds, a
 *   slot that nobody owns, until the leader repairs it.
 * - A row whose id changes gets the slot of the new one after the statement: a trigger before an update, even one with a column list,
 *   would lock each row of every tick once more. Where row security keeps the owner of the table from that, the statement is refused.
 * - An UPDATE of `slot` alone is refused, as a generated column did: its rows would be ticked by a worker that does not count them.
 *
 * The functions may be there already: a dump of the schema before, restored over this one, knows nothing of them.
 */
export function plainSlot(slots: number): string {
  return `
ALTER TABLE public.work_items ALTER COLUMN slot DROP EXPRESSION;
ALTER TABLE public.work_items ALTER COLUMN slot SET DEFAULT -1;

CREATE OR REPLACE FUNCTION ballast_scaler.slot_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.slot := ${slotExpression('NEW.id', slots)};
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS zz_ballast_slot_given ON public.work_items;
CREATE TRIGGER zz_ballast_slot_given BEFORE INSERT ON public.work_items FOR EACH ROW EXECUTE FUNCTION ballast_scaler.slot_given();
ALTER TABLE public.work_items ENABLE ALWAYS TRIGGER zz_ballast_slot_given;

CREATE OR REPLACE FUNCTION ballast_scaler.row_renamed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  place integer := ballast_scaler.slot_of(NEW.id);
BEGIN
  UPDATE public.work_items SET slot = place WHERE id = NEW.id;
  IF NOT FOUND AND row_security_active('public.work_items') THEN
    RAISE EXCEPTION 'the id of a row cannot change: row security keeps the owner of public.work_items from setting its slot'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Add a policy for the owner, or insert a new row.';
  END IF;
  INSERT INTO ballast_scaler.row_deltas VALUES (OLD.slot, -1), (place, 1);
  RETURN NULL;
END $$;
ALTER TABLE public.work_items ENABLE ALWAYS TRIGGER ballast_row_renamed;

CREATE OR REPLACE FUNCTION ballast_scaler.slot_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.slot OPERATOR(pg_catalog.<>) ${slotExpression('NEW.id', slots)} THEN
    RAISE EXCEPTION 'the column "slot" of public.work_items follows from "id": leave it out of the UPDATE' USING ERRCODE = 'generated_always';
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS ballast_slot_refused ON public.work_items;
CREATE TRIGGER ballast_slot_refused AFTER UPDATE OF slot ON public.work_items FOR EACH ROW EXECUTE FUNCTION ballast_scaler.slot_refused();

-- One statement: rows that somebody holds are left for the next time. Changed slots are counted as the triggers do; -1 is no delta
-- of rows, and slots that are none are in no count.
CREATE OR REPLACE FUNCTION ballast_scaler.repair_slots(leader_epoch bigint, leader_nonce uuid, from_slot integer, to_slot integer)
RETURNS TABLE (leads boolean, repaired bigint) LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT ballast_scaler.leads(leader_epoch, leader_nonce) THEN RETURN QUERY SELECT false, 0::bigint; RETURN; END IF;
  RETURN QUERY
  WITH misplaced AS MATERIALIZED (
    SELECT i.ctid AS place, i.slot AS given FROM public.work_items i
    WHERE (i.slot BETWEEN from_slot AND to_slot AND i.slot <> ${slotExpression('i.id', slots)}) OR i.slot < 0 OR i.slot >= ${slots}
    LIMIT 10000 FOR NO KEY UPDATE SKIP LOCKED
  ), moved AS (
    UPDATE public.work_items i SET slot = ${slotExpression('i.id', slots)}
    FROM misplaced m WHERE i.ctid = m.place RETURNING m.given, i.slot AS right_one
  ), deltas AS (
    INSERT INTO ballast_scaler.row_deltas
    SELECT m.given, -1 FROM moved m WHERE m.given BETWEEN 0 AND ${slots - 1} UNION ALL SELECT m.right_one, 1 FROM moved m
  )
  SELECT true, count(*) FROM moved;
END $$;
`
}
