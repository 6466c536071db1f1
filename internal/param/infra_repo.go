package param

// Repo is section REPO: the local package repository of infrastructure nodes.
type Repo struct {
	RepoName        string         `level:"global" default:"pigsty" kind:"name" help:"name of the local package repository, and of its folder below nginx_home"`
	RepoAddress     string         `level:"global" default:"pigsty" kind:"host" help:"host name or address of the local package repository"`
	RepoRebuild     bool           `level:"argument" default:"false" help:"look in the sources for newer versions of what is there, as repo build does"`
	RepoRemove      bool           `level:"argument" default:"true" help:"nothing: building leaves a node's package sources as they are"`
	RepoUpstreams   []RepoUpstream `level:"global" default:"[{name: node}]" help:"sources to take packages from; an entry named node is the node's own sources, and with [] nothing is fetched from anywhere"`
	RepoPackages    []string       `level:"global" default:"[]" help:"packages for the repository besides those that the nodes need; * stands for any text"`
	RepoUrlPackages []string       `level:"global" default:"[]" kind:"url" help:"packages to fetch by their addresses; #sha256=… at the end says what they must be"`
}

// RepoUpstream is an entry of repo_upstreams: a source of packages.
type RepoUpstream struct {
	Name              string   `required:"true" kind:"name" help:"name; node alone stands for the sources that the node has"`
	Description       string   `help:"what it is"`
	Baseurl           []string `single:"true" help:"address, suite and components as in a line of apt's, such as https://apt.example.com/debian ${distro_codename} main; several are tried in turn"`
	Key               string   `help:"public key that its packages are signed with, in ASCII armor, or the path of one on the node"`
	Gpgcheck          bool     `default:"true" help:"check signatures; without a check, whoever is on the way can change packages"`
	Enabled           bool     `default:"true" help:"take packages from it"`
	SkipIfUnavailable bool     `default:"false" help:"go on without it when it cannot be reached"`
	Releases          []int    `default:"[]" help:"releases of Debian it is for; all when empty"`
	Arch              []string `default:"[]" help:"architectures it is for, as Debian names them; all when empty"`
}
