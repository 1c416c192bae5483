-- What a connection and a mapping consist of: tables, columns, defaults, indexes, functions.
\set SHOW_CONTEXT never
SELECT regress_connection('lay') AS connection \gset
SELECT hc_mapping_create(:'connection', 'Account', '{"access": "read_write", "fields": {"Name": {}, "ExternalId__c": {}, "NumberOfEmployees": {}, "AnnualRevenue": {}, "ParentId": {}}, "indexes": {"ParentId": {"unique": false}}, "upsert_field": "ExternalId__c"}', regress_account()) IS NOT NULL AS made;
\a
SELECT c.relname, c.relkind, pg_get_userbyid(c.relowner) = current_user AS ours FROM pg_class c
 WHERE c.relnamespace = 'lay'::regnamespace AND c.relkind IN ('r', 'S') ORDER BY 1;
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, l.collname, pg_get_expr(d.adbin, d.adrelid) AS "default"
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.collname <> 'default'
 WHERE c.relnamespace = 'lay'::regnamespace AND c.relkind = 'r' ORDER BY c.relname, a.attnum;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'lay' ORDER BY indexname;
SELECT conname, contype FROM pg_constraint WHERE connamespace = 'lay'::regnamespace AND contype <> 'n' ORDER BY 1;
SELECT sequencename, data_type, start_value, increment_by, cache_size,
       pg_get_serial_sequence('lay.' || replace(sequencename, '_id_seq', ''), 'id') = 'lay.' || sequencename AS owned
  FROM pg_sequences WHERE schemaname = 'lay' ORDER BY 1;
SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result, l.lanname
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'lay'::regnamespace ORDER BY 1;
SELECT t.tgname, t.tgrelid::regclass, (t.tgtype::int & 1) <> 0 AS each_row, (t.tgtype::int & 2) <> 0 AS before, t.tgenabled
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'lay'::regnamespace ORDER BY 1;
-- Nothing of it is a member of the extension, and neither is the guard.
SELECT count(*) FROM pg_depend d WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
   AND (d.objid IN (SELECT oid FROM pg_class WHERE relnamespace = 'lay'::regnamespace)
     OR d.objid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'lay'::regnamespace OR proname = 'get_xmlbinary'));
SELECT pg_get_function_result('public.get_xmlbinary()'::regprocedure), public.get_xmlbinary();
SELECT hcver, org_id, details FROM lay._hcmeta;
