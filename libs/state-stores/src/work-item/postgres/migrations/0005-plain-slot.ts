import { slotExpression } from '../slot-expression.ts'

/**
 * `slot` becomes a plain column which triggers keep equal to the slot of the id: a stored generated column doubles the cost of a tick,
 * because PostgreSQL reads its expression from the catalog again for every row of an update that does not compute it anew
 * (`ExecInitGenerated`, seen in 18). The table is not rewritten.
 *
 * - Whatever an INSERT says about `slot` is replaced.
 * - A row whose id changes gets the slot of the new one after the statement: a trigger before an update, even one with a column list,
 *   would lock each row of every tick once more.
 * - An UPDATE of `slot` alone is refused, as a generated column did: its rows would be ticked by a worker that does not count them.
 */
export function plainSlot(slots: number): string {
  return `
ALTER TABLE public.work_items ALTER COLUMN slot DROP EXPRESSION;

CREATE FUNCTION ballast_scaler.slot_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.slot := ${slotExpression('NEW.id', slots)};
  RETURN NEW;
END $$;
CREATE TRIGGER ballast_slot_given BEFORE INSERT ON public.work_items FOR EACH ROW EXECUTE FUNCTION ballast_scaler.slot_given();

CREATE OR REPLACE FUNCTION ballast_scaler.row_renamed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  place integer := ballast_scaler.slot_of(NEW.id);
BEGIN
  UPDATE public.work_items SET slot = place WHERE id = NEW.id;
  INSERT INTO ballast_scaler.row_deltas VALUES (OLD.slot, -1), (place, 1);
  RETURN NULL;
END $$;

CREATE FUNCTION ballast_scaler.slot_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.slot IS DISTINCT FROM ${slotExpression('NEW.id', slots)} THEN
    RAISE EXCEPTION 'the column "slot" of public.work_items follows from "id": leave it out of the UPDATE' USING ERRCODE = 'generated_always';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ballast_slot_refused AFTER UPDATE OF slot ON public.work_items FOR EACH ROW EXECUTE FUNCTION ballast_scaler.slot_refused();
`
}
