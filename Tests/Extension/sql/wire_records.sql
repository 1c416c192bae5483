-- What many changes send, built in one statement: the same as one by one, and a bad value is the trouble of its own entry only.
\set SHOW_CONTEXT never
SET search_path = regress_tools, public;
SELECT connect('wires');
SELECT mapping FROM ids WHERE name = 'wires' \gset
-- Of the lookup and the parent's external id one is sent; nulls only of updates; what may not be written is named, as is what is not mapped.
SELECT * FROM hc_wire_records(:'mapping', '{1,2,3,4,5,6,7}', '{INSERT,UPDATE,INSERT,UPDATE,UPDATE,DELETE,UPDATE}', ARRAY[
  'id=>1,sfid=>NULL,name=>"A \"B\"",amount__c=>NULL,active__c=>t,closed__c=>"2024-02-03 04:05:06.7",formula__c=>x,parentid=>001000000000001AAA,parent__ext__c=>p',
  'name=>NULL,ext__c=>"",active__c=>NULL,parentid=>NULL,parent__ext__c=>p',
  'parentid=>001000000000001AAA,parent__ext__c=>""',
  'parentid=>001000000000001AAA,parent__ext__c=>NULL',
  'parentid=>NULL,parent__ext__c=>NULL,zz=>1,formula__c=>NULL,_hc_err=>x',
  NULL,
  '']);
-- Every mix of columns that are absent, null, blank or have a value.
CREATE TEMPORARY TABLE mixed AS
  SELECT n AS id, CASE WHEN n % 2 = 0 THEN 'INSERT' ELSE 'UPDATE' END AS action,
         (SELECT coalesce(string_agg(CASE (n / 2 >> (2 * place)) & 3 WHEN 1 THEN format('%s=>NULL', name) WHEN 2 THEN format('%s=>""', name) WHEN 3 THEN format('%s=>"%s"', name, value) END, ','), '')
            FROM (VALUES (0, 'name', 'x'), (1, 'active__c', 'f'), (2, 'parentid', '001000000000001AAA'), (3, 'parent__ext__c', 'p'), (4, 'formula__c', 'f'),
                         (5, 'closed__c', '2024-02-03 04:05:06'), (6, 'zz', '1')) AS c(place, name, value)) AS captured
    FROM generate_series(0, 32767) n;
SELECT count(*), count(*) FILTER (WHERE r.wire = hc_wire_record(:'mapping', m.action, m.captured) AND r.error IS NULL) AS same, count(DISTINCT r.wire) AS kinds
  FROM (SELECT array_agg(id::bigint ORDER BY id) AS ids, array_agg(action ORDER BY id) AS actions, array_agg(captured ORDER BY id) AS texts FROM mixed) x,
       LATERAL hc_wire_records(:'mapping', x.ids, x.actions, x.texts) r JOIN mixed m USING (id);
-- Bad values, the first, the last, and two that are neighbours.
SELECT count(wire), jsonb_object_agg(id, lower(left(error, 12))) FILTER (WHERE error IS NOT NULL), count(*) FROM hc_wire_records(:'mapping', ARRAY(SELECT generate_series(1, 1000)), array_fill('UPDATE'::text, '{1000}'),
  ARRAY(SELECT CASE n WHEN 1 THEN 'active__c=>maybe' WHEN 500 THEN 'no hstore at all' WHEN 501 THEN 'closed__c=>"some day"' WHEN 1000 THEN 'closed__c=>"2024-02-31"'
                      ELSE format('name=>%s,active__c=>t', n) END FROM generate_series(1, 1000) n));
SELECT count(*) FROM hc_wire_records(:'mapping', '{}', '{}', '{}');
SELECT disconnect('wires');
