# PostgreSQL's programs, and those of this cluster. Written by pigsty.
export PATH={{.Bin}}:/pg/bin:$PATH
export PGDATA={{.Data}}
{{- if .Elsewhere}}
export PGHOST={{.Socket}}
export PGPORT={{.Port}}
{{- end}}
# patronictl takes its passwords from the environment; only the database's own user reads them.
if [ -O {{.EnvFile}} ]; then
	set -a
	. {{.EnvFile}}
	set +a
fi
