package model

import (
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/param"
)

// Repository is the local package repository: every infrastructure node with nginx has a copy of
// its own, and nodes take their packages from it.
type Repository struct {
	Name  string  // repo_name
	Dir   string  // folder on its hosts, such as /www/pigsty
	Port  int     // of nginx
	Hosts []*Node // nodes that have it
	Param param.Repo
	// OwnSources says that the sources of the node itself are among those that packages come from.
	OwnSources bool
	// Upstreams are the other sources. With neither, nothing is fetched: what is there has to do.
	Upstreams []param.RepoUpstream
}

// Offline is true when repo_upstreams is empty: packages come with a bundle, and no node asks
// anywhere else for them.
func (r *Repository) Offline() bool { return !r.OwnSources && len(r.Upstreams) == 0 }

// URL is where nodes reach it, with a slash at its end.
func (r *Repository) URL() string { return r.at("http", r.Param.RepoAddress, "") }

// FolderAt is the repository's folder for a node whose node_repo_local_urls has this address: with
// the host that it names, and with nginx's port unless it names one.
func (r *Repository) FolderAt(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return r.URL()
	}
	return r.at(u.Scheme, u.Hostname(), u.Port())
}

func (r *Repository) at(scheme, host, port string) string {
	if port == "" && scheme == "http" && r.Port != 80 {
		port = strconv.Itoa(r.Port)
	}
	switch {
	case port != "":
		host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return scheme + "://" + host + "/" + r.Name + "/"
}

// HostedBy tells whether the node has the repository itself.
func (r *Repository) HostedBy(n *Node) bool { return slices.Contains(r.Hosts, n) }

// IsAt tells whether an address of node_repo_local_urls leads to the repository: to its folder, or
// to the file that v1.5 describes it to yum with.
func (r *Repository) IsAt(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	folder := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), ".repo")
	return folder == "/"+r.Name && r.answersTo(u.Hostname())
}

// answersTo tells whether a host's name or address is one that the repository is reached by.
func (r *Repository) answersTo(host string) bool {
	return host == r.Param.RepoAddress || slices.ContainsFunc(r.Hosts, func(n *Node) bool {
		return host == n.Addr || host == n.Name && host != ""
	})
}

// UsesRepository tells whether the node takes packages from the local repository.
func (d *Deployment) UsesRepository(n *Node) bool {
	return d.Repository != nil && n.Param.NodeRepoMethod == "local" &&
		slices.ContainsFunc(n.Param.NodeRepoLocalUrls, d.Repository.IsAt)
}

// RepositoryUsers are the nodes that take packages from the local repository.
func (d *Deployment) RepositoryUsers() []*Node {
	var users []*Node
	for _, n := range d.Nodes {
		if d.UsesRepository(n) {
			users = append(users, n)
		}
	}
	return users
}

// addRepository makes the local repository where a node can have one.
func (b *builder) addRepository() {
	var r *Repository
	for _, m := range b.d.Metas {
		p := m.Param
		if !p.NginxEnabled {
			continue
		}
		if r == nil {
			r = &Repository{
				Name: p.RepoName, Dir: path.Join(p.NginxHome, p.RepoName), Port: p.NginxPort, Param: p.Repo,
			}
		}
		r.Hosts = append(r.Hosts, m.Node)
	}
	if r == nil {
		return
	}
	b.d.Repository = r
	b.addSources(r)
	b.checkRepositoryName(r)
}

// ownSources is the name of the entry that stands for the sources of the node itself.
const ownSources = "node"

// addSources takes over the entries of repo_upstreams that apt can read.
func (b *builder) addSources(r *Repository) {
	host := r.Hosts[0]
	skipped := 0
	for k, u := range r.Param.RepoUpstreams {
		switch {
		case !u.Enabled:
		case u.Name == ownSources && len(u.Baseurl) == 0:
			r.OwnSources = true
		case !slices.ContainsFunc(u.Baseurl, isAptLine):
			skipped++
			b.warnUpstream(host, k, u)
		default:
			u.Baseurl = slices.DeleteFunc(slices.Clone(u.Baseurl), func(line string) bool { return !isAptLine(line) })
			r.Upstreams = append(r.Upstreams, u)
		}
	}
	if r.Offline() && skipped > 0 {
		// A list of v1.5: whoever wrote it did not mean that nothing is to be fetched.
		r.OwnSources = true
	}
}

// isAptLine tells whether an address has a suite beside it, as apt wants it and yum does not.
func isAptLine(line string) bool { return len(strings.Fields(line)) > 1 }

func (b *builder) warnUpstream(n *Node, index int, u param.RepoUpstream) {
	value := n.Vars["repo_upstreams"]
	pos := value.NodePos(member(value.Node, index, "baseurl"))
	if len(u.Baseurl) == 0 {
		pos = value.NodePos(member(value.Node, index, "name"))
	}
	problem := b.problems.Warnf(pos, "source %s of repo_upstreams has no line that apt can read, and is passed over", u.Name)
	problem.Hint = "give address, suite and components, such as https://apt.example.com/debian ${distro_codename} main; node alone stands for the sources that the node has"
}

// checkRepositoryName warns of nodes that cannot find the repository by the name they are given.
func (b *builder) checkRepositoryName(r *Repository) {
	for _, n := range b.d.RepositoryUsers() {
		if r.HostedBy(n) || len(n.Param.NodeDnsServers) > 0 {
			continue
		}
		for _, address := range n.Param.NodeRepoLocalUrls {
			u, err := url.Parse(address)
			if err != nil || !r.IsAt(address) || knownName(n, b.d, u.Hostname()) {
				continue
			}
			problem := b.problems.Warnf(repositoryPos(n), "%s is to take packages from %s, and no line of /etc/hosts tells it where that is", n.Addr, u.Hostname())
			problem.Hint = "add it to node_etc_hosts_default: " + r.Hosts[0].Addr + " " + u.Hostname()
		}
	}
}

// knownName tells whether a node will find a host without asking a name server.
func knownName(n *Node, d *Deployment, host string) bool {
	if net.ParseIP(host) != nil {
		return true
	}
	lines := slices.Concat(n.Param.NodeEtcHostsDefault, n.Param.NodeEtcHosts)
	if slices.ContainsFunc(lines, func(line string) bool { return slices.Contains(strings.Fields(line), host) }) {
		return true
	}
	return n.Param.NodenameExchange && slices.ContainsFunc(d.Nodes, func(other *Node) bool { return other.Name == host })
}

// repositoryPos is where the inventory says that the node takes packages from the repository.
func repositoryPos(n *Node) diag.Pos {
	if v, given := n.Vars["node_repo_local_urls"]; given {
		return v.Pos
	}
	return at(n, "node_repo_method")
}

// Wish is a package that repo_packages or repo_url_packages names, and where.
type Wish struct {
	Text string
	Pos  diag.Pos
}

// Wishes are the entries of a list of names or addresses, each with its place.
func (r *Repository) Wishes(variable string, texts []string) []Wish {
	value := r.Hosts[0].Vars[variable]
	wishes := make([]Wish, len(texts))
	for k, text := range texts {
		wishes[k] = Wish{Text: text, Pos: value.Pos}
		if value.Node != nil && value.Node.Kind == yaml.SequenceNode && k < len(value.Node.Content) {
			wishes[k].Pos = value.NodePos(value.Node.Content[k])
		}
	}
	return wishes
}
