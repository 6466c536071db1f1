package param

// untyped are the parameters whose module has no structs yet: accepted, kept and documented, not
// checked. An entry moves out of here when its section gets a struct.
//
// Each line is name, type, level, default and what it does; a default in angle brackets is
// described rather than given.
var untyped = []struct {
	module, section string
	params          [][5]string
}{
	{"INFRA", "META", [][5]string{
		{"version", "string", "global", "v1.5.1", "version that the file was written for; shown, not acted on"},
	}},
	{"INFRA", "CONNECT", [][5]string{
		{"ansible_python_interpreter", "string", "instance", "", "not needed: nothing on the node is run by Python"},
		{"ansible_group_priority", "int", "cluster", "1", "precedence among the groups of a host, highest wins"},
	}},
	{"INFRA", "ETCD", [][5]string{
		{"etcd_certs", "string[]", "global", "", "certificate files; unused, the CA makes its own"},
	}},
	{"NODES", "DOCKER", [][5]string{
		{"docker_enabled", "bool", "cluster", "false", "run Docker on the node"},
		{"docker_cgroups_driver", "string", "cluster", "systemd", "cgroup driver"},
		{"docker_registry_mirrors", "url[]", "cluster", "[]", "mirrors of the registry"},
		{"docker_image_cache", "path", "cluster", "/tmp/docker.tgz", "archive of images to load"},
	}},
	{"REDIS", "REDIS_IDENTITY", [][5]string{
		{"redis_cluster", "string", "cluster", "", "name of the cluster; needed for Redis"},
		{"redis_node", "int", "instance", "", "number of the node in its cluster; needed for Redis"},
		{"redis_instances", "dict", "instance", "", "instances of the node: port to settings; needed for Redis"},
	}},
	{"REDIS", "REDIS_NODE", [][5]string{
		{"redis_fs_main", "path", "cluster", "/data", "mount point of the disk"},
		{"redis_exporter_enabled", "bool", "cluster", "true", "export metrics of Redis"},
		{"redis_exporter_port", "int", "cluster", "9121", "port of Redis' metrics"},
		{"redis_exporter_options", "string", "cluster", "", "options of the exporter"},
	}},
	{"REDIS", "REDIS_PROVISION", [][5]string{
		{"redis_safeguard", "bool", "cluster", "true", "refuse to remove a running instance"},
		{"redis_clean", "bool", "cluster", "false", "let an explicit removal take an instance that is running"},
		{"redis_rmdata", "bool", "cluster", "true", "remove the data together with the instance"},
		{"redis_mode", "enum", "cluster", "standalone", "standalone, cluster or sentinel"},
		{"redis_conf", "file", "cluster", "redis.conf", "configuration template"},
		{"redis_bind_address", "ip", "cluster", "0.0.0.0", "address to listen on"},
		{"redis_max_memory", "size", "cluster", "1GB", "most memory of each instance"},
		{"redis_mem_policy", "enum", "cluster", "allkeys-lru", "what is dropped when memory is full"},
		{"redis_password", "secret", "cluster", "", "password of the cluster; none unless given"},
		{"redis_rdb_save", "string[]", "cluster", "['1200 1']", "when to save: seconds and changes"},
		{"redis_aof_enabled", "bool", "cluster", "false", "log every write"},
		{"redis_rename_commands", "dict", "cluster", "{}", "dangerous commands and their new names"},
		{"redis_cluster_replicas", "int", "cluster", "1", "replicas of each master in mode cluster"},
	}},
	{"INFRA", "ARGUMENT", [][5]string{
		{"no_cmdb", "bool", "argument", "false", "leave the configuration database out"},
		{"rm_metadata", "bool", "argument", "false", "remove the infrastructure's data too"},
		{"rm_metapkgs", "bool", "argument", "false", "remove the infrastructure's packages too"},
		{"jupyter_username", "string", "argument", "jupyter", "user of JupyterLab"},
		{"jupyter_password", "generate", "argument", "", "password of JupyterLab"},
		{"jupyter_port", "int", "argument", "8888", "port of JupyterLab"},
		{"jupyter_domain", "string", "argument", "lab.pigsty", "domain of JupyterLab"},
	}},
	{"PGSQL", "ARGUMENT", [][5]string{
		{"rm_pgdata", "bool", "argument", "false", "remove the data too"},
		{"rm_pgpkgs", "bool", "argument", "false", "remove the packages too"},
		{"pg_user", "string", "argument", "", "user of pg_users to act on"},
		{"pg_database", "string", "argument", "", "database of pg_databases to act on"},
		{"register_datasource", "bool", "argument", "true", "make the database a Grafana data source"},
		{"src_cls", "string", "argument", "", "migration: cluster to copy from"},
		{"src_db", "string", "argument", "", "migration: database to copy from"},
		{"src_ip", "string", "argument", "", "migration: address of the source's primary"},
		{"src_list", "string[]", "argument", "[]", "migration: addresses of the source's replicas"},
		{"dst_cls", "string", "argument", "", "migration: cluster to copy to"},
		{"dst_db", "string", "argument", "", "migration: database to copy to"},
		{"dst_dns", "string", "argument", "", "migration: DNS name of the target"},
		{"dst_vip", "string", "argument", "", "migration: virtual address of the target"},
		{"dst_ip", "string", "argument", "", "migration: address of the target's primary"},
		{"dst_list", "string[]", "argument", "[]", "migration: addresses of the target's replicas"},
		{"migration_context_dir", "path", "argument", "~/migration", "migration: directory of its scripts"},
	}},
	{"REDIS", "ARGUMENT", [][5]string{
		{"redis_port", "int", "argument", "", "one instance of a node to act on"},
	}},
}

// aloneUntyped says which untyped parameters name one thing, as the tag `alone` does.
var aloneUntyped = map[string]string{"redis_node": "instance", "redis_instances": "instance"}
