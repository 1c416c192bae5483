-- Warnings of merged writes
SELECT regress_tools.connect('warn', false);
SELECT connection AS c, mapping AS m FROM regress_tools.ids WHERE name = 'warn' \gset
CREATE FUNCTION regress_tools.map(name text, VARIADIC lookups text[]) RETURNS void LANGUAGE sql AS $$
  -- "FieldId=Object" is a lookup
  SELECT count(public.hc_mapping_create(i.connection, map.name, jsonb_build_object('access', 'read_write', 'fields',
           '{"Name": {}}'::jsonb || (SELECT jsonb_object_agg(split_part(l, '=', 1), '{}'::jsonb) FROM unnest(lookups) l)),
         jsonb_build_object('name', map.name, 'queryable', true, 'fields', '[{"name":"Id","type":"id","length":18},{"name":"SystemModstamp","type":"datetime"},{"name":"IsDeleted","type":"boolean"},{"name":"Name","type":"string","length":80,"createable":true,"updateable":true}]'::jsonb
           || (SELECT jsonb_agg(jsonb_build_object('name', split_part(l, '=', 1), 'type', 'reference', 'length', 18, 'referenceTo', jsonb_build_array(split_part(l, '=', 2)),
                 'relationshipName', replace(split_part(l, '=', 1), 'Id', ''), 'createable', true, 'updateable', true)) FROM unnest(lookups) l))))
    FROM regress_tools.ids i WHERE i.name = 'warn'
$$;
SELECT regress_tools.map('Contact', 'AccountId=Account');
-- planned and ordered writes have none, and a chain that ends is no circle
SELECT w.* FROM public.hc_connection c, public.hc_write_warnings(c) w WHERE c.id = :'c';
SELECT objects, fields FROM public.hc_parent_cycles(:'c');
SELECT regress_tools.map('Deal', 'ContactId=Contact', 'SecondContactId=Contact', 'OwnerId=User');
SELECT regress_tools.map('Site', 'DealId=Deal', 'AccountId=Account');
SELECT objects, fields FROM public.hc_parent_cycles(:'c');
-- the circle closes: by two fields it is two
INSERT INTO public.hc_field (mapping, position, field_name, column_name, salesforce_type, postgres_type, createable, updateable, relationship_name, reference_to)
  SELECT m.id, 100, 'DealId', 'dealid', 'reference', 'varchar(18)', true, true, 'Deal', '{Lead,Deal}' FROM public.hc_mapping m WHERE m.id = :'m';
SELECT objects, fields FROM public.hc_parent_cycles(:'c');
UPDATE public.hc_connection SET settings = settings || '{"write_algorithm": "merged"}' WHERE id = :'c';
SELECT w.topic, w.warning FROM public.hc_connection c, public.hc_write_warnings(c) w WHERE c.id = :'c';
-- what is not written, or not mapped, is in no circle
UPDATE public.hc_mapping SET access = 'read_only' WHERE connection = :'c' AND object_name = 'Contact';
SELECT objects FROM public.hc_parent_cycles(:'c');
UPDATE public.hc_field SET createable = false, updateable = false WHERE mapping = :'m';
SELECT w.topic FROM public.hc_connection c, public.hc_write_warnings(c) w WHERE c.id = :'c';
SELECT regress_tools.disconnect('warn');
