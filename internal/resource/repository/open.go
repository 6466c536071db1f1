package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"pigsty/internal/aptrepo"
	"pigsty/internal/resource"
)

// open makes a suite's root: with the sources that it has, the repository as it is, and the packages
// that are being taken in, and with lists that are new enough.
func (b *build) open(ctx context.Context, s *Suite) (*root, error) {
	name := s.Codename + "/" + s.Arch
	if a := b.roots[name]; a != nil {
		return a, nil
	}
	a := &root{h: b.h, dir: path.Join(cacheDir, b.r.Label, s.Codename+"-"+s.Arch), arch: s.Arch}
	if err := a.open(); err != nil {
		return nil, err
	}
	sources, err := b.sources(a, s)
	if err != nil {
		return nil, err
	}
	b.roots[name] = a
	return a, sources.update(ctx, b, s, a)
}

// suiteSources are the sources of a suite: those that stay, and those that may give way to another.
type suiteSources struct {
	files     map[string]string
	upstreams []*upstreamChoice
	staged    bool // they have indexes that are another each time
}

// upstreamChoice is an upstream and which of its lines serves.
type upstreamChoice struct {
	Upstream
	line int
}

func (u *upstreamChoice) left() bool { return u.line < len(u.Lines) }

// sources says where packages of a suite come from. What the repository has already comes first, so
// that it is not fetched again.
func (b *build) sources(a *root, s *Suite) (*suiteSources, error) {
	out := &suiteSources{files: map[string]string{}}
	if b.r.OwnSources {
		var err error
		if out.files, err = b.nodeSources(a, s); err != nil {
			return nil, err
		}
	}
	for _, u := range b.r.Upstreams {
		if serves(u.Codenames, s.Codename) && serves(u.Archs, s.Arch) {
			out.upstreams = append(out.upstreams, &upstreamChoice{Upstream: u})
		}
	}
	switch {
	case b.added || len(b.lost) > 0:
		dir, err := b.stage()
		if err != nil {
			return nil, err
		}
		if b.want.Suite(s.Codename, s.Arch) != nil {
			out.files["00repository.list"] = fmt.Sprintf("deb [trusted=yes] file:%s %s main\n", dir, s.Codename)
			out.staged = true
		}
	case b.have != nil && b.have.Suite(s.Codename, s.Arch) != nil:
		out.files["00repository.list"] = fmt.Sprintf("deb [trusted=yes] file:%s %s main\n", b.r.Path, s.Codename)
	}
	return out, nil
}

// serves tells whether one is among those that something is for; it is for all when it names none.
func serves(only []string, one string) bool { return len(only) == 0 || slices.Contains(only, one) }

// nodeSources are the sources of a node that has the release.
func (b *build) nodeSources(a *root, s *Suite) (map[string]string, error) {
	if s.Sources != nil {
		return place(s.Sources, a)
	}
	own, err := sourceFiles(b.h)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, f := range own {
		name := f.Name
		if name == "sources.list" {
			name = "node.list"
		}
		files[name] = f.Text
	}
	return files, nil
}

// update fetches the lists unless they are new enough. An upstream that cannot be reached gives way
// to its next line, or is left out when it may be.
func (o *suiteSources) update(ctx context.Context, b *build, s *Suite, a *root) error {
	age := listsAge
	if b.r.Refresh {
		age = refreshAge
	}
	for {
		files, err := o.all(a, s)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return errors.New("there is no package in the repository, and repo_upstreams is empty: unpack a bundle (pigsty repo unpack), or give sources")
		}
		text := describeFiles(files, b)
		if !o.staged && a.fresh(text, age) {
			return nil
		}
		if err := a.setSources(files); err != nil {
			return err
		}
		err = a.update(ctx, text)
		if err == nil {
			return nil
		}
		if !o.giveWay(b.h, err) {
			return fmt.Errorf("%w; mend the way to the sources, give others in repo_upstreams, or leave it empty and unpack a bundle", resource.ExplainApt(err))
		}
	}
}

// describeFiles is equal for sources that have the same lists.
func describeFiles(files map[string]string, b *build) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text.WriteString(name + "\n" + files[name])
	}
	if b.have != nil {
		text.WriteString(b.have.Date.Format(time.RFC3339Nano))
	}
	return text.String()
}

// all are the files of the sources with the lines that serve now.
func (o *suiteSources) all(a *root, s *Suite) (map[string]string, error) {
	files := maps.Clone(o.files)
	for k, u := range o.upstreams {
		if !u.left() {
			continue
		}
		options := []string{"arch=" + s.Arch}
		switch {
		case u.Trusted:
			options = append(options, "trusted=yes")
		case strings.HasPrefix(u.Key, "/"):
			options = append(options, "signed-by="+u.Key)
		case u.Key != "":
			file := path.Join(a.dir, "keys", u.Name+".asc")
			if err := a.h.WriteFile(file, []byte(u.Key), 0o644); err != nil {
				return nil, err
			}
			options = append(options, "signed-by="+file)
		}
		files[fmt.Sprintf("upstream-%d.list", k)] = fmt.Sprintf("deb [%s] %s\n", strings.Join(options, " "), expand(u.Lines[u.line], s))
	}
	return files, nil
}

func expand(line string, s *Suite) string {
	return strings.NewReplacer("${distro_codename}", s.Codename, "${arch}", s.Arch).Replace(line)
}

// giveWay goes on to the next line of the upstreams that apt complains of. It tells whether there is
// anything else to try.
func (o *suiteSources) giveWay(h *resource.Host, failure error) bool {
	said := failure.Error()
	changed := false
	for _, u := range o.upstreams {
		if !u.left() {
			continue
		}
		address, _, _ := strings.Cut(u.Lines[u.line], " ")
		if !strings.Contains(said, strings.TrimSuffix(address, "/")) {
			continue
		}
		if u.line+1 == len(u.Lines) && !u.Optional {
			continue
		}
		u.line++
		changed = true
		if !u.left() {
			h.Note("source %s cannot be reached, and is left out: %v", u.Name, resource.ExplainApt(failure))
		}
	}
	return changed
}

// takeIn takes packages in that the controller has, or that are fetched by their addresses.
func (b *build) takeIn(ctx context.Context) error {
	for _, f := range b.r.Files {
		if hasFile(b.want, f.SHA256) {
			continue
		}
		file := path.Join(spool, f.SHA256+".deb")
		if err := receive(ctx, b.h, b.r, f, file); err != nil {
			return err
		}
		if err := b.takeFile(ctx, file, f.SHA256, f.Size, aptrepo.OriginOwn); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	for _, d := range b.r.Downloads {
		if hasDownload(b.want, d) {
			continue
		}
		if err := b.takeDownload(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", d.URL, err)
		}
	}
	if !b.added {
		return nil
	}
	for _, s := range b.r.Suites {
		if b.want.Suite(s.Codename, s.Arch) == nil {
			b.want.SetSuite(aptrepo.Suite{Codename: s.Codename, Arch: s.Arch})
		}
	}
	return nil
}

// stage indexes what is there and being taken in, without what is lost, where apt alone sees it.
func (b *build) stage() (string, error) {
	m := b.want.Clone()
	m.Packages = slices.DeleteFunc(m.Packages, func(p aptrepo.Package) bool { return b.lost[p.ID()] })
	files, err := m.Indexes(func(string, time.Time) (string, string, error) { return "", "", nil })
	if err != nil {
		return "", err
	}
	dir := path.Join(cacheDir, b.r.Label, "staged")
	if err := removeFolder(b.h, dir); err != nil {
		return "", err
	}
	for file, data := range files {
		// Debian 12's apt takes the Packages that lies there for the Packages.gz that does not, and finds
		// it damaged.
		if !slices.Contains([]string{"Release", "Packages", "Packages.gz"}, path.Base(file)) {
			continue
		}
		if err := os.MkdirAll(b.h.Path(path.Join(dir, path.Dir(file))), folderMode); err != nil {
			return "", err
		}
		if err := b.h.WriteFile(path.Join(dir, file), data, fileMode); err != nil {
			return "", err
		}
	}
	return dir, nil
}
