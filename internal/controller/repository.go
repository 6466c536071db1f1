package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"pigsty/internal/aptrepo"
	"pigsty/internal/fact"
	"pigsty/internal/model"
	"pigsty/internal/module"
	"pigsty/internal/resource"
	"pigsty/internal/resource/repository"
)

// readAptSources asks, for every release that the local repository is to serve and its hosts do not
// have, one node that has it where it takes packages from.
func (s *Site) readAptSources(ctx context.Context, fleet *Fleet, users []*model.Node) error {
	d := s.Deployment
	if d.Repository == nil || !d.Repository.OwnSources {
		return nil
	}
	d.AptSources = map[string]fact.AptSources{}
	for _, n := range users {
		session, codename := fleet.Sessions[n.Addr], n.Facts.Codename
		_, asked := d.AptSources[codename]
		here := slices.ContainsFunc(d.Repository.Hosts, func(host *model.Node) bool { return host.Facts.Codename == codename })
		if session == nil || asked || here {
			continue
		}
		from, err := session.Sources(ctx)
		if err != nil {
			return fmt.Errorf("ask %s where it takes packages from: %w", n.Addr, err)
		}
		d.AptSources[codename] = from
	}
	return nil
}

// RepoBuild says how the local repository is built.
type RepoBuild struct {
	// Folder has packages (*.deb) to be added; empty adds none.
	Folder string
	Prune  bool
}

// PrepareRepoBuild connects to all nodes and compiles what builds the local repository.
func (s *Site) PrepareRepoBuild(ctx context.Context, b RepoBuild, dial Dialer) (*Work, error) {
	files, supplies, err := packagesIn(b.Folder)
	if err != nil {
		return nil, err
	}
	fleet := s.Connect(ctx, s.Deployment.Nodes, dial)
	if err := s.readAptSources(ctx, fleet, s.Deployment.Nodes); err != nil {
		return s.work(fleet, nil, err)
	}
	steps, err := module.BuildRepo(s.Deployment, module.RepoBuild{Refresh: true, Prune: b.Prune, Files: files, Supplies: supplies})
	return s.work(fleet, steps, err)
}

// packagesIn are the packages of a folder.
func packagesIn(folder string) ([]repository.File, map[string]resource.Supply, error) {
	if folder == "" {
		return nil, nil, nil
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.deb"))
	if err != nil {
		return nil, nil, err
	}
	if len(paths) == 0 {
		return nil, nil, fmt.Errorf("%s has no package (*.deb)", folder)
	}
	var files []repository.File
	supplies := map[string]resource.Supply{}
	for _, p := range paths {
		f, err := packageFile(p)
		if err != nil {
			return nil, nil, err
		}
		absolute, err := filepath.Abs(p)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, f)
		supplies[f.Name] = resource.Supply{Path: absolute, Size: f.Size}
	}
	return files, supplies, nil
}

func packageFile(p string) (repository.File, error) {
	file, err := os.Open(p)
	if err != nil {
		return repository.File{}, err
	}
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	return repository.File{Name: filepath.Base(p), Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// PrepareRepoUnpack connects to the hosts of the local repository and compiles what adds a bundle to
// it.
func (s *Site) PrepareRepoUnpack(ctx context.Context, bundle *aptrepo.Bundle, dial Dialer) (*Work, error) {
	steps, err := module.UnpackRepo(s.Deployment, bundle)
	if err != nil {
		return nil, err
	}
	return s.work(s.Connect(ctx, s.Deployment.Repository.Hosts, dial), steps, nil)
}

// RepoState is the local repository of one of its hosts.
type RepoState struct {
	Node     string `json:"node"`
	NodeName string `json:"node_name,omitempty"`
	URL      string `json:"url"`
	repository.State
}

// RepoStates asks every host of the local repository what it holds, and with verify whether it is
// whole. Hosts that could not be asked are in the second answer.
func (s *Site) RepoStates(ctx context.Context, verify bool, dial Dialer) ([]RepoState, map[string]error, error) {
	d := s.Deployment
	nodes := d.Nodes
	if !verify && d.Repository != nil {
		nodes = d.Repository.Hosts
	}
	fleet := s.Connect(ctx, nodes, dial)
	defer fleet.Leave()
	states := []RepoState{}
	if d.Repository == nil {
		_, err := module.RepoQuery(d, nil, verify)
		return nil, nil, err
	}
	for _, n := range d.Repository.Hosts {
		session := fleet.Sessions[n.Addr]
		if session == nil {
			continue
		}
		query, err := module.RepoQuery(d, n, verify)
		if err != nil {
			return nil, nil, err
		}
		state, err := session.Repository(ctx, query)
		if err != nil {
			fleet.Lost[n.Addr] = err
			continue
		}
		states = append(states, RepoState{Node: n.Addr, NodeName: n.Name, URL: d.Repository.URL(), State: state})
	}
	maps.DeleteFunc(fleet.Lost, func(node string, _ error) bool {
		return !slices.ContainsFunc(d.Repository.Hosts, func(n *model.Node) bool { return n.Addr == node })
	})
	return states, fleet.Lost, nil
}

// Packed is a bundle that was written.
type Packed struct {
	Path        string `json:"path"`
	Size        int64  `json:"size"` // bytes
	SHA256      string `json:"sha256"`
	Packages    int    `json:"packages"`
	Fingerprint string `json:"fingerprint"` // of the key that has signed it
}

// PackRepo writes the local repository of the first of its hosts that has one into a bundle.
func (s *Site) PackRepo(ctx context.Context, file string, dial Dialer) (*Packed, error) {
	d := s.Deployment
	if d.Repository == nil {
		_, err := module.RepoQuery(d, nil, false)
		return nil, err
	}
	fleet := s.Connect(ctx, d.Repository.Hosts, dial)
	defer fleet.Leave()
	var failed error
	for _, n := range d.Repository.Hosts {
		session := fleet.Sessions[n.Addr]
		if session == nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", n.Addr, fleet.Lost[n.Addr]))
			continue
		}
		query := repository.Query{Path: d.Repository.Dir, Label: d.Repository.Name, Key: d.RepositoryKey}
		state, err := session.Repository(ctx, query)
		if err == nil && state.Manifest == nil {
			err = fmt.Errorf("it has no package repository in %s: build it first (pigsty repo build)", query.Path)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", n.Addr, err))
			continue
		}
		return s.pack(file, state.Manifest, func(p aptrepo.Package) (io.ReadCloser, error) {
			return session.File(ctx, path.Join(query.Path, p.File), p.Size), ctx.Err()
		})
	}
	return nil, failed
}

// pack writes a bundle under a temporary name, and gives it its own once it is whole.
func (s *Site) pack(file string, m *aptrepo.Manifest, open func(aptrepo.Package) (io.ReadCloser, error)) (*Packed, error) {
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	sum := sha256.New()
	if err := aptrepo.WriteBundle(io.MultiWriter(temp, sum), m, s.repositoryKey, open); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	size, err := temp.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return nil, err
	}
	if err := os.Rename(temp.Name(), file); err != nil {
		return nil, err
	}
	return &Packed{file, size, hex.EncodeToString(sum.Sum(nil)), len(m.Packages), s.repositoryKey.Fingerprint()}, nil
}
