-- what shared memory is taken by, for those who watch: the view itself is the superuser's alone
CREATE FUNCTION monitor.pg_shmem() RETURNS SETOF pg_shmem_allocations
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS 'SELECT * FROM pg_shmem_allocations';
REVOKE EXECUTE ON FUNCTION monitor.pg_shmem() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION monitor.pg_shmem() TO pg_monitor;
