package agent

// An agent must know every kind of resource that modules list. Those of package resource it has
// anyway; this is the one place that names the packages of all others, which each register
// their kinds. test/layout fails when one is missing.
import (
	_ "pigsty/internal/resource/etcd"
	_ "pigsty/internal/resource/fault"
	_ "pigsty/internal/resource/postgres"
	_ "pigsty/internal/resource/repository"
)
