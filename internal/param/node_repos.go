package param

// NodeRepos is section NODE_REPO: where a node takes packages from.
type NodeRepos struct {
	NodeRepoMethod    string   `level:"cluster" default:"none" oneof:"none local public" help:"package sources: as they are, or the local repository; public means as they are, as a Debian machine has its public ones"`
	NodeRepoRemove    bool     `level:"cluster" default:"false" help:"set the node's existing package sources aside"`
	NodeRepoLocalUrls []string `level:"cluster" default:"[http://pigsty/pigsty.repo]" kind:"url" help:"sources that method local adds"`
}
