/**
 * Which transaction inserted a row: an id that was removed and added again is another row, whose ticks must not be compared with those
 * of the first. Set by the default alone, so whoever writes rows needs no further right. Two steps, so that the table is not rewritten:
 * rows from before have none (NULL).
 */
export const born = `
ALTER TABLE public.work_items ADD COLUMN born_xid xid8;
ALTER TABLE public.work_items ALTER COLUMN born_xid SET DEFAULT pg_current_xact_id();
`
