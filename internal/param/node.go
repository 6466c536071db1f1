package param

// Node is what holds for a machine whatever runs on it.
type Node struct {
	NodeIdentity `section:"NODE_IDENTITY" module:"NODES"`
	NodeNames    `section:"NODE_DNS" module:"NODES"`
	NodeRepos    `section:"NODE_REPO" module:"NODES"`
	NodeSoftware `section:"NODE_PACKAGES" module:"NODES"`
	NodeTuning   `section:"NODE_TUNE" module:"NODES"`
	NodeAdmin    `section:"NODE_ADMIN" module:"NODES"`
	NodeTime     `section:"NODE_TIME" module:"NODES"`
	NodeExporter `section:"NODE_EXPORTER" module:"NODES"`
	Promtail     `section:"PROMTAIL" module:"NODES"`
}
